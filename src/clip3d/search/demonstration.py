"""The demonstration: the package's sample objects, asked for by words, by a picture and by a shape."""

from __future__ import annotations

from clip3d.data.samples import Samples
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.adhoc import search_files
from clip3d.search.embedding import Progress
from clip3d.search.page import Answer


def ask_samples(
    model: Model, samples: Samples, *, cache: VectorCache, k: int = 4, progress: Progress | None = None
) -> list[Answer]:
    """Answer the samples' own queries: each phrase, then the picture, then the shape.

    Args:
        model: with text, image and cloud towers.
        samples: as `clip3d.data.samples.list_samples` gives them.
        cache: of vectors, so that each object is embedded once.
        k: answers a query.
        progress: called with the number of objects done and of all objects, while the first query is answered.
    """
    paths = [sample.path for sample in samples.objects]
    answers: list[Answer] = []
    for text in samples.texts:
        found = search_files(model, paths, text=text, k=k, cache=cache, progress=None if answers else progress)
        answers.append(Answer(found))
    by_image = search_files(model, paths, image=samples.image, k=k, cache=cache)
    by_shape = search_files(model, paths, like=samples.like, k=k, cache=cache)
    return [
        *answers,
        Answer(by_image, image=samples.image, heading=f"the picture {samples.image.name}"),
        Answer(by_shape, like=samples.like, heading=f"the shape {samples.like.name}"),
    ]
