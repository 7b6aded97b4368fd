"""What of FiftyOne's public interface an export uses, as fiftyone 1.22 has it; the real one needs a database."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

DATASETS: dict[str, Dataset] = {}


class Sample:
    """A file with fields; a name of a field may be used as a key."""

    def __init__(self, filepath: str | None = None, tags: Sequence[str] | None = None, **fields: Any) -> None:
        self.filepath = filepath
        self.tags = list(tags or [])
        self.fields = dict(fields)

    def __setitem__(self, name: str, value: Any) -> None:
        if name.startswith("_") or "$" in name or "." in name:
            raise ValueError(f"Invalid field name: {name!r}")
        self.fields[name] = value

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


class Dataset:
    """Samples under a name that is there once; a field has one type."""

    def __init__(self, name: str | None = None, persistent: bool = False, overwrite: bool = False) -> None:
        if name in DATASETS:
            raise ValueError(f"Dataset name {name!r} is not available")
        self.name, self.persistent, self.info = str(name), persistent, {}
        self.samples: list[Sample] = []
        self.types: dict[str, type] = {}
        DATASETS[self.name] = self

    def add_samples(self, samples: Sequence[Sample], progress: bool | None = None) -> None:
        for sample in samples:
            for name, value in sample.fields.items():
                if self.types.setdefault(name, type(value)) is not type(value):
                    raise ValueError(f"field {name!r} is {self.types[name]}, got {value!r}")
            self.samples.append(sample)

    def delete(self) -> None:
        del DATASETS[self.name]

    def __len__(self) -> int:
        return len(self.samples)


def module() -> ModuleType:
    """The double under the name of the package."""
    made = ModuleType("fiftyone")
    vars(made).update(Sample=Sample, Dataset=Dataset, dataset_exists=lambda name: name in DATASETS)
    return made
