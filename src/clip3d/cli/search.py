"""`clip3d search`: words, a picture or another shape find clouds among files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clip3d.cli import options as o
from clip3d.cli import search_options as so
from clip3d.cli.output import (
    WrongCommand,
    exists,
    finish,
    name_problems,
    note,
    print_json,
    print_line,
    print_table,
    progress_bar,
    start_logging,
)
from clip3d.cli.session import load_model, open_cache, put_on_device, reading_of

if TYPE_CHECKING:
    from clip3d.search.adhoc import SearchResult
    from clip3d.search.embedding import Reading

HELP_EXAMPLES = o.examples('clip3d search "a round wooden table" assets/', "clip3d demo")
EXAMPLES = o.examples(
    'clip3d search "a round wooden table" assets/',
    "clip3d search --image photo.jpg assets/",
    "clip3d search --like chair.glb --not armchair assets/ -k 5",
    'clip3d search "a lamp" assets/ --json | head -3',
    "clip3d search \"a chair\" --db assets.db --where \"split = 'test'\" --near 0.99",
    'clip3d search --lidar "a pedestrian close by" --camera "sun glare" --db fleet.db --page hits.html',
    'clip3d search "a chair^2" --text wood --not metal --hit 12 --db assets.db --html page.html',
)


def search(
    words: so.Words = None,
    db: so.Db = None,
    image: so.Images = None,
    like: so.Likes = None,
    negative: so.Negatives = None,
    k: so.Answers = 10,
    threshold: so.Threshold = None,
    html: so.Html = None,
    text: so.FurtherWords = None,
    hit: so.LikeItems = None,
    lidar: so.Lidar = None,
    camera: so.Camera = None,
    where: so.Where = None,
    offset: so.Offset = 0,
    confident: so.Confident = False,
    unique: so.Unique = False,
    near: so.Near = None,
    diversity: so.Diversity = 0.0,
    group: so.Group = None,
    per_group: so.PerGroup = 1,
    rule: so.Rule = None,
    over: so.Over = None,
    fold: so.Fold = None,
    templates: so.PromptTemplates = None,
    locate: so.Locate = None,
    pictures: so.PicturesDir = None,
    show_columns: so.Show = None,
    csv: so.Csv = None,
    parquet: so.Parquet = None,
    links: so.Links = None,
    model: so.ModelOfCollection = None,
    device: o.Device = "cpu",
    up: o.UpAxis = None,
    unit: o.UnitName = None,
    pose: o.PoseName = o.Stance.upright,
    topic: o.Topic = None,
    message: o.Message = 0,
    points: o.Points = 8192,
    seed: o.Seed = 0,
    no_cache: o.NoCache = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Find 3D objects by words, a picture or another shape: among files, or in a collection with --db.

    The score is the cosine of query and object after the mean of the model's space is subtracted: it ranks, it is
    no probability. A model without a cloud tower, as a CLIP is, searches pictures instead. Files of the same
    content as --like are not listed. Failed files are named on stderr, also with --json, and make the exit code 1;
    all others are searched.

    With --db any part of the query may end in its weight, as in "a chair^2", and where the model can tell, it is
    said if nothing fits.
    """
    start_logging(quiet=quiet, verbose=verbose)
    reading = reading_of(points, seed, up, unit, pose, topic, message)
    parts = {"text": text, "hit": hit, "lidar": lidar, "camera": camera}
    choice = {
        "where": where,
        "offset": offset,
        "confident": confident,
        "unique": unique,
        "near": near,
        "diversity": diversity,
        "group": group,
        "per_group": per_group,
        "rule": rule,
        "over": over,
        **({} if fold is None else {"fold": fold}),
        "templates": templates or None,
    }
    outputs = {"csv": csv, "parquet": parquet, "links": links, "pictures": pictures}
    if db is None:
        _refuse_without_db({**parts, **choice, **outputs, "show": show_columns, "locate": locate})
        result = _search_files(
            words or [], image or [], like or [], negative, k, threshold, reading, model or "mini", device,
            no_cache=no_cache, quiet=quiet,
        )  # fmt: skip
        _finish_files(result, words or [], image, like, html, reading, as_json=as_json, quiet=quiet)
        return
    from clip3d.cli.search_collection import ask_collection, query_parts
    from clip3d.data.driving_prompts import templates_named
    from clip3d.search.collection import Collection

    given = query_parts(words or [], {**parts, "image": image, "like": like, "negative": negative})
    loaded = None if model is None else load_model(model, device)
    with Collection(db, loaded) as collection:
        put_on_device(collection, device)
        ask_collection(
            collection,
            given,
            {**choice, "templates": templates_named(templates or []), "k": k, "threshold": threshold},
            reading=reading,
            outputs={**outputs, "html": html},
            show=show_columns or [],
            locate=locate,
            no_cache=no_cache,
            as_json=as_json,
            quiet=quiet,
        )


def _refuse_without_db(given: dict[str, Any]) -> None:
    """WrongCommand if an option is given that asks for a collection."""
    untouched = {"offset": 0, "diversity": 0.0, "per_group": 1}
    asked = [name for name, value in given.items() if value not in (None, False, untouched.get(name))]
    if asked:
        name = asked[0].replace("_", "-")
        raise WrongCommand(f"--{name} asks a collection: name it with --db, and make it with clip3d index")


def _search_files(
    words: list[str],
    image: list[str],
    like: list[str],
    negative: list[str] | None,
    k: int,
    threshold: float | None,
    reading: Reading,
    model: str,
    device: str,
    *,
    no_cache: bool,
    quiet: bool,
) -> SearchResult:
    """Answer from files and folders."""
    if len(image) > 1 or len(like) > 1:
        raise WrongCommand("among files there is one --image and one --like at most; a collection takes several")
    text, paths = split_words(words, with_option=bool(image or like))
    from clip3d.search.adhoc import search_files

    with open_cache(disabled=no_cache) as cache, progress_bar("Embedding", quiet=quiet) as progress:
        return search_files(
            load_model(model, device),
            paths,
            text=text,
            image=image[0] if image else None,
            like=like[0] if like else None,
            negative=negative,
            k=k,
            threshold=threshold,
            reading=reading,
            cache=cache,
            progress=progress,
        )


def _finish_files(
    result: SearchResult,
    words: list[str],
    image: list[str] | None,
    like: list[str] | None,
    html: Path | None,
    reading: Reading,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    show(result, as_json=as_json)
    name_problems(result.problems)
    if not quiet:
        suggest_quotes(words)
    if html is not None:
        from clip3d.search.page import Answer, write_page

        answer = Answer(result, image=image[0] if image else None, like=like[0] if like else None)
        write_page(html, f"clip3d: {result.query}", [answer], reading=reading)
        if not quiet:
            note(f"wrote {html}")
    if not quiet and not as_json:
        note(f"{result.searched} searched, {result.computed} of them embedded now; model {result.model}")
    finish(result.problems, result.searched)


def split_words(words: list[str], *, with_option: bool) -> tuple[str | None, list[str]]:
    """The query's words, if any, and the paths among the positional arguments.

    With --image or --like all are paths, except a first one of several words that is no path.

    Raises:
        WrongCommand: if there is no query, or no path, or it cannot be told which is which.
    """
    first_exists = bool(words) and exists(words[0])
    if not with_option:
        return _query_and_paths(words, first_exists)
    if len(words) > 1 and not first_exists and _is_phrase(words[0]):
        return words[0], words[1:]
    if len(words) > 1 and not first_exists and _is_bare(words[0]):
        raise WrongCommand(
            f"{words[0]!r} is neither a file nor a folder; with --image or --like all arguments are paths. "
            f'If it belongs to the query, write it as a phrase: "a {words[0]}"'
        )
    if not words or _is_phrase(words[0]):
        raise WrongCommand("name the files or folders to search: clip3d search --image photo.jpg FOLDER")
    return None, words


def suggest_quotes(words: list[str]) -> None:
    """Where words after the first look like more of the query than like paths, say how to write it."""
    missing = [word for word in words[1:] if _is_bare(word) and not exists(word)]
    if words and missing and _is_bare(words[0]):
        note(f'if {missing[0]!r} belongs to the query, put all of it in quotes: "{words[0]} {" ".join(missing)}"')


def _query_and_paths(words: list[str], first_exists: bool) -> tuple[str | None, list[str]]:
    if not words:
        raise WrongCommand('give a query and a path: clip3d search "a chair" FOLDER')
    if len(words) == 1 and first_exists:
        raise WrongCommand(f'there is no query: clip3d search "a chair" {words[0]}')
    if len(words) == 1:
        raise WrongCommand(f'name the files or folders to search: clip3d search "{words[0]}" FOLDER')
    if not words[0].strip():
        raise WrongCommand("the query is empty")
    return words[0], words[1:]


def _is_phrase(word: str) -> bool:
    return _is_bare(word) and len(word.split()) > 1 and not exists(word)


def _is_bare(word: str) -> bool:
    """Whether a word looks like no path: no separator, no suffix."""
    return not any(sign in word for sign in "/\\") and not Path(word).suffix and not word.startswith((".", "~"))


def show(result: SearchResult, *, as_json: bool) -> None:
    """Print a result's hits."""
    for hit in result.hits if as_json else ():
        print_json(
            {
                "rank": hit.rank,
                "path": str(hit.path),
                "score": round(hit.score, 6),
                "model": result.model,
                "query": result.query,
            }
        )
    if as_json:
        return
    if result.hits:
        rows = [(str(hit.rank), f"{hit.score:.3f}", str(hit.path)) for hit in result.hits]
        print_table(("rank", "score", "path"), rows, right=(0, 1))
    else:
        print_line(f"nothing found for: {result.query}")
