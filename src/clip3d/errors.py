"""One family of errors. Each message names what was wrong, where, and what would mend it."""

from __future__ import annotations

from os import PathLike


class Clip3dError(Exception):
    """Base of every error that clip3d raises on purpose."""


class FileProblem(Clip3dError):
    """A file cannot be used.

    Attributes:
        path: the file.
        reason: what is wrong with it.
        remedy: what the user can do about it; may be empty.
    """

    def __init__(self, path: str | PathLike[str], reason: str, remedy: str = "") -> None:
        self.path = str(path)
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{self.path}: {reason}" + (f" ({remedy})" if remedy else ""))

    def __reduce__(self) -> tuple[type[FileProblem], tuple[str, str, str]]:
        # Errors cross process borders; the default would call __init__ with the joined message.
        return type(self), (self.path, self.reason, self.remedy)


class CloudError(FileProblem):
    """A point cloud or mesh file cannot be read, or does not hold a usable shape."""


class FrameError(FileProblem):
    """A sweep, its calibration or a driving log cannot be read."""


class ImageError(FileProblem):
    """An image file cannot be read."""


class ModelError(FileProblem):
    """A model bundle is missing, damaged, or of a form that this version does not know."""


class DataError(FileProblem):
    """A data set, library or recipe file cannot be used."""


class ShapeError(Clip3dError, ValueError):
    """An array has a shape, type or content that the function does not accept."""


class SpaceMismatch(Clip3dError, ValueError):
    """Vectors of different embedding spaces or models were about to be compared."""


class ConditionError(Clip3dError, ValueError):
    """A condition on metadata cannot be used.

    Attributes:
        text: the condition as it was written.
        start: where in it the trouble begins, from 0.
        end: one past its last character.
        reason: what the trouble is.
    """

    def __init__(self, text: str, start: int, end: int, reason: str) -> None:
        self.text, self.start, self.end, self.reason = text, start, end, reason
        shown = text[start:end] or text[max(start - 1, 0) : end + 1]
        if len(shown) > 60:
            shown = shown[:57] + "..."
        super().__init__(f"the condition is wrong at character {start + 1}, {shown!r}: {reason}")

    def __reduce__(self) -> tuple[type[ConditionError], tuple[str, int, int, str]]:
        return type(self), (self.text, self.start, self.end, self.reason)


class MissingExtra(Clip3dError, ImportError):
    """An optional package is needed for what was asked."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        super().__init__(f'{feature} needs the package {package}: pip install "clip3d[{extra}]"')
