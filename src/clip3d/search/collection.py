"""A collection: items of one space that are kept, searched, and brought up to date."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from clip3d.errors import DataError, ModelError, SpaceMismatch
from clip3d.joint_rules import Rule
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.conditions.where import Condition
from clip3d.search.embedding import Progress, Reading
from clip3d.search.questions.answering import answer
from clip3d.search.questions.answers import Answers
from clip3d.search.questions.query import FOLD_SECONDS, Files, Items, Texts, make_query
from clip3d.search.stores.opening import is_there, open_store
from clip3d.search.stores.signing import check_model
from clip3d.search.stores.store import Header, Store, Value
from clip3d.spaces import Space

if TYPE_CHECKING:
    from clip3d.search.keeping.reporting import Change, Report
    from clip3d.search.stores.frame_vectors import ViewKind

PathName = str | os.PathLike[str]

WAIT_SECONDS = 5.0


class Collection:
    """Items of one space with what is known of them, kept in a file.

        with clip3d.Collection("assets.db", clip3d.load()) as collection:
            collection.add("assets/")
            hits = collection.search("a chair", k=10)

    The file is made when something is added. An instance belongs to the thread that made it.

    Attributes:
        address: path of the collection's file, or folder or URI of LanceDB.
    """

    def __init__(
        self,
        address: str | os.PathLike[str],
        model: Model | None = None,
        *,
        reindex: bool = False,
        read_only: bool = False,
        wait: float = WAIT_SECONDS,
    ) -> None:
        """Open a collection.

        Args:
            address: path of its file; of a folder that ends in .lance, or a URI, for LanceDB.
            model: what embeds items and queries; None for the embedded model that the collection was made with,
                loaded when needed, and for `mini` where there is no collection yet.
            reindex: take a model that is not the collection's: with the next run of `index` all vectors are made
                anew. Ids and metadata stay.
            read_only: refuse to write even where that is possible.
            wait: seconds to wait for another writer.

        Raises:
            SpaceMismatch: if the vectors of the collection are another model's, unless `reindex`.
            DataError: if it is no collection, or cannot be opened.
        """
        self.address = os.fspath(address)
        self._model = model
        self._reindex = reindex
        self._read_only = read_only
        self._wait = wait
        self._store: Store | None = None
        if model is not None and not reindex and self._is_there():
            header = self.store.header()
            if header is not None:
                try:
                    check_model(self.address, header, model)
                except SpaceMismatch:
                    self.close()
                    raise

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        """Number of items."""
        return len(self.store.select()) if self._is_there() else 0

    def close(self) -> None:
        """Let go of the file; what is used later opens it again."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def add(self, paths: PathName | Iterable[PathName], **said: Value) -> Report:
        """Put files in, and folders that are searched through; `index` with nothing but metadata.

        Args:
            paths: files and folders, and URIs of either.
            **said: metadata of each, such as `split="test"`.
        """
        return self.index(paths, metadata=said)

    def index(
        self,
        paths: PathName | Iterable[PathName] = (),
        *,
        metadata: Mapping[str, Value] | None = None,
        tables: PathName | Iterable[PathName] = (),
        prune: bool = False,
        only: Literal["cloud", "image", "sweep"] | None = None,
        thumbnails: bool = True,
        views: Iterable[ViewKind] | None = None,
        reading: Reading | None = None,
        ray: str | None = None,
        cache: VectorCache | None = None,
        progress: Progress | None = None,
        tell: Callable[[Change], None] | None = None,
    ) -> Report:
        """Bring the collection up to date with files, and with folders that are searched through.

        What did not change is not read. What changed is replaced, and keeps its id and metadata; so does a file
        that was moved, which is told by its content. Clouds are embedded by the model's cloud tower, pictures by
        its image tower; pictures that are part of an object are none of their own. Driving logs, for a model with a
        sweep tower, are kept as a record a view of each frame. What is done is kept batch by batch: an interrupted
        run is gone on with by the next. In a collection that was opened with `reindex`, the first run to its end
        makes all vectors anew.

        Args:
            paths: files and folders, and URIs of either; none, to go on with what lacks vectors.
            metadata: what is said of each file.
            tables: CSV, JSON or JSON lines files with a column `path` and what is said of each of these files; as
                `clip3d.search.keeping.sidecar.read_table` reads them.
            prune: remove the records of files in these paths that vanished.
            only: clouds alone, pictures alone, or the frames of driving logs alone ("sweep"); these may then be of
                a model without a sweep tower, and are found by their pictures.
            thumbnails: keep small pictures.
            views: of the frames of driving logs: "camera", "cameras" together, "quarter" of the sweep, "sweep" by
                itself; None for all.
            reading: how cloud files are read.
            ray: address of a Ray cluster whose machines read and encode driving logs, as
                `clip3d.search.keeping.cluster.encode_on_cluster` takes it; None for this machine alone.
            cache: of vectors; None opens the user's.
            progress: called with the number of files done and of all files.
            tell: called for each file, once what was done with it is kept.

        Raises:
            DataError: if another process is writing, the collection cannot be written, a table cannot be read, or
                a cluster cannot be reached or is to encode what is no driving log.
            SpaceMismatch: if the collection's vectors are another model's.
            ModelError: if the model has no tower for files.
            ShapeError: if metadata have a name or value that cannot be kept.
            MissingExtra: if a cluster is to encode, and Ray is not installed.
        """
        from clip3d.search.keeping.indexing import index_files
        from clip3d.search.keeping.reporting import Plan
        from clip3d.search.keeping.sidecar import read_tables
        from clip3d.search.stores.frame_vectors import VIEW_KINDS

        plan = Plan(
            reading=reading or Reading(),
            only=only,
            prune=prune,
            reindex=self._reindex,
            thumbnails=thumbnails,
            views=VIEW_KINDS if views is None else tuple(views),
            metadata=metadata or {},
            table=read_tables(tables),
            ray=ray,
        )
        model = self.model
        if self._store is None:
            self._store = open_store(self.address, create=True, read_only=self._read_only, wait=self._wait)
        with nullcontext(cache) if cache is not None else VectorCache() as used:
            report = index_files(self._store, model, paths, plan, cache=used, progress=progress, tell=tell)
        self._reindex = False  # done: what comes next is compared with it
        return report

    def search(
        self,
        text: Texts = None,
        *,
        image: Files = None,
        like: Files = None,
        hit: Items = None,
        negative: Texts = None,
        lidar: Texts = None,
        camera: Texts = None,
        where: str | Condition | None = None,
        k: int = 10,
        offset: int = 0,
        threshold: float | None = None,
        confident: bool = False,
        unique: bool = False,
        near: float | None = None,
        diversity: float = 0.0,
        group: str | None = None,
        per_group: int = 1,
        rule: Rule | None = None,
        over: ViewKind | None = None,
        fold: float = FOLD_SECONDS,
        templates: Sequence[str] = (),
        reading: Reading | None = None,
        cache: VectorCache | None = None,
    ) -> Answers:
        """The items that answer a query best, best first.

        A part of the query is one value or a list; a value stands alone, or as (value, weight). Items that are
        the query themselves, and what has their content, are no answers.

        Args:
            text: words, such as "a chair", or [("a chair", 2.0), "red"].
            image: pictures' files.
            like: clouds' files.
            hit: ids or paths of items, to find more like them.
            negative: words to turn away from.
            lidar: words put to the lidar's vectors of frames alone.
            camera: words put to what cameras saw alone; where there are no frames, to pictures.
            where: a condition on the records, as SQL: see `clip3d.search.conditions.where.Condition`.
            k: at most so many answers.
            offset: answers to pass over, for the pages after the first.
            threshold: least score.
            confident: list only what fits the words, as the model's refusal tells.
            unique: list each content once, and count the copies.
            near: count as copies what is as near as this centred cosine, too.
            diversity: weight of maximal marginal relevance, from 0, for none, to below 1.
            group: a column, or "folder", of whose values at most `per_group` answers each are listed.
            per_group: see `group`.
            rule: how lidar and camera make one ranking of frames (`clip3d.joint_rules`); None for the usual ways.
            over: views of frames that answer: "camera", "cameras" together, "quarter" of the sweep, or "sweep".
            fold: seconds within which views of one log are one answer; 0 for each by itself.
            templates: prompts with {} that words are put into, such as `clip3d.data.driving_prompts.OBJECTS`.
            reading: how clouds of the query are read.
            cache: of vectors of clouds of the query; None opens the user's.

        Raises:
            ShapeError: if the query is empty or out of range, or asks for what the collection does not have.
            ConditionError: if the condition is wrong.
            DataError: if the collection is empty, cannot be read, or does not hold an item of the query.
            ModelError: if the model lacks a tower, or its card does not say how to tell what fits.
            ImageError, CloudError: if a file of the query cannot be read.
        """
        query = make_query(
            text,
            image=image,
            like=like,
            hit=hit,
            negative=negative,
            lidar=lidar,
            camera=camera,
            where=where,
            k=k,
            offset=offset,
            threshold=threshold,
            confident=confident,
            unique=unique,
            near=near,
            diversity=diversity,
            group=group,
            per_group=per_group,
            rule=rule,
            over=over,
            fold=fold,
            templates=tuple(templates),
        )
        return answer(self.store, self.model, query, reading=reading, cache=cache)

    @property
    def store(self) -> Store:
        """What keeps the items, opened.

        Raises:
            DataError: if there is no collection yet, or it cannot be opened.
        """
        if self._store is None:
            self._store = open_store(self.address, read_only=self._read_only, wait=self._wait)
        return self._store

    @property
    def header(self) -> Header:
        """Space, model and towers of the vectors.

        Raises:
            DataError: if there are no vectors yet.
        """
        header = self.store.header()
        if header is None:
            remedy = f"clip3d index FOLDER --db {self.address}"
            raise DataError(self.address, "the collection has no vectors yet", remedy)
        return header

    @property
    def space(self) -> Space:
        """The space of the vectors, told without loading a model."""
        header = self.header
        return header.own_space()

    @property
    def model(self) -> Model:
        """What embeds items and queries.

        Raises:
            ModelError: if the collection was made with a model that is not embedded, and none was given.
            SpaceMismatch: if the embedded model of that name has other weights by now.
        """
        if self._model is None:
            header = self.store.header() if self._is_there() else None
            self._model = _embedded(self.address, header)
        return self._model

    def _is_there(self) -> bool:
        return self._store is not None or is_there(self.address)


def _embedded(address: str, header: Header | None) -> Model:
    from clip3d.models.loading import embedded_models, load

    if header is None:
        return load()
    name = header.model.rpartition("@")[0]
    # a name alone, never a path: the file may be a stranger's
    if name not in embedded_models():
        reason = f"it was made with the model {header.model}, which is not embedded"
        raise ModelError(address, reason, "give its folder with --model")
    model = load(name)
    check_model(address, header, model)
    return model
