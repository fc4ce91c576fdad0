"""Which files of a folder become a data set: photos under `bin-images/`, what labels them under `metadata/`.

Sources are whatever people have: the Amazon Bin Image Dataset's layout, with other things beside it or not, a list of
files of it, or a folder of photos and a CSV. What is missing or cannot be taken is counted and named, never fatal.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.errors import UserError

PHOTOS, METADATA = "bin-images", "metadata"
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
_LABELS, _FILE_LIST = "labels.csv", "file_list.json"
_NAME_BYTES = 200


@dataclass
class Selection:
    """Files by their key in the data set, and the ids of what is amiss."""

    files: dict[str, Path] = field(default_factory=dict)
    labels: int = 0
    missing: list[str] = field(default_factory=list)  # labels without a photo
    unlabelled: list[str] = field(default_factory=list)  # photos without a label: the Split step leaves them out
    skipped: list[str] = field(default_factory=list)  # files that cannot be read or named

    @property
    def photos(self) -> int:
        """Number of photos."""
        return sum(key.startswith(f"{PHOTOS}/") for key in self.files)


def select(source: Path, labels: Path | None = None, file_list: Path | None = None) -> Selection:
    """Choose the files of `source`.

    Args:
        source: a folder with `bin-images/` and `metadata/`; with `labels`, any folder of photos.
        labels: a CSV with the columns id and label; group as well where photos show the same bin.
        file_list: the ids to take of the source, as JSON: {"1": ["data/metadata/100313.json", ...], ...}.

    Raises:
        UserError: there are no photos, or no labels.
    """
    if not source.is_dir():
        raise UserError(f"{source} is no folder")
    if labels and file_list:
        raise UserError("give --labels or --file-list, not both")
    if labels:
        chosen = _labelled(source, labels, _csv_ids(labels))
    elif file_list:
        chosen = _listed(source, file_list, _list_ids(file_list))
    else:
        chosen = _whole(source)
    if not chosen.photos:
        raise UserError(f"no photos found in {source}: it needs {PHOTOS}/ and {METADATA}/, or --labels with a CSV")
    if not chosen.labels:
        raise UserError(f"no labels found for {source}: it needs {METADATA}/ with JSON files, or --labels with a CSV")
    return chosen


def _whole(source: Path) -> Selection:
    chosen = Selection()
    photos, metadata = _files(source / PHOTOS, chosen), _files(source / METADATA, chosen)
    if _LABELS in metadata:
        ids = _csv_ids(metadata[_LABELS])
    elif _FILE_LIST in metadata:
        ids = _list_ids(metadata[_FILE_LIST])
    else:
        ids = {Path(name).stem for name in metadata if name.endswith(".json")}
    chosen.files = {f"{PHOTOS}/{name}": path for name, path in photos.items()}
    chosen.files |= {f"{METADATA}/{name}": path for name, path in metadata.items()}
    _compare(chosen, ids, photos)
    return chosen


def _listed(source: Path, file_list: Path, ids: set[str]) -> Selection:
    chosen = Selection()
    photos, metadata = _files(source / PHOTOS, chosen), _files(source / METADATA, chosen)
    photos = _only(photos, ids)
    records = {name: path for name, path in metadata.items() if name.endswith(".json") and name != _FILE_LIST}
    chosen.files = {f"{PHOTOS}/{name}": path for name, path in photos.items()}
    chosen.files |= {f"{METADATA}/{name}": path for name, path in _only(records, ids).items()}
    chosen.files[f"{METADATA}/{_FILE_LIST}"] = file_list
    _compare(chosen, ids, photos)
    return chosen


def _labelled(source: Path, labels: Path, ids: set[str]) -> Selection:
    chosen = Selection()
    folder = source / PHOTOS if (source / PHOTOS).is_dir() else source
    photos = {name: path for name, path in _files(folder, chosen).items() if path.suffix.lower() in _SUFFIXES}
    chosen.files = {f"{PHOTOS}/{name}": path for name, path in photos.items()}
    chosen.files[f"{METADATA}/{_LABELS}"] = labels
    _compare(chosen, ids, photos)
    return chosen


def _compare(chosen: Selection, ids: set[str], photos: Iterable[str]) -> None:
    """Note which labels have no photo and which photos no label."""
    spelled, stems = _spelling(ids), {Path(name).stem for name in photos}
    there, labelled = {spelled(stem) for stem in stems}, {spelled(id) for id in ids}
    chosen.labels = len(ids)
    chosen.missing = sorted(id for id in ids if spelled(id) not in there)
    chosen.unlabelled = sorted(stem for stem in stems if spelled(stem) not in labelled)


def _only(files: dict[str, Path], ids: set[str]) -> dict[str, Path]:
    spelled = _spelling(ids)
    wanted = {spelled(id) for id in ids}
    return {name: path for name, path in files.items() if spelled(Path(name).stem) in wanted}


def _spelling(ids: set[str]) -> Callable[[str], str]:
    """Return what makes spellings of one id equal, as the Split step sees them: 00710 and 710 are the same photo.

    Where the ids hold both spellings of any number, zeros mean something: in the Amazon Bin Image Dataset 1021 and
    01021 are different bins.
    """
    exact = any(_bare(id) in ids for id in ids if _bare(id) != id)
    return (lambda id: id) if exact else _bare


def _bare(id: str) -> str:
    return id.lstrip("0") or "0" if id.isascii() and id.isdigit() else id


def _files(folder: Path, chosen: Selection) -> dict[str, Path]:
    """Return the folder's files by name, links followed; hidden ones are passed over, unusable ones noted."""
    found: dict[str, Path] = {}
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if not _usable(name) or not path.is_file():  # a link to nothing is no file
            chosen.skipped.append(ascii(name)[1:-1])
        else:
            found[name] = path
    return found


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()  # a link to a folder above it would lead round and round
    for parent, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        place = Path(parent).stat()
        if (place.st_dev, place.st_ino) in seen:
            folders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _unreadable(error: OSError) -> None:
    """Say that a folder cannot be read: without it, a part of the photos would be missing, and nobody told."""
    if not isinstance(error, FileNotFoundError):
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from None


def _usable(name: str) -> bool:
    # A key of an object, and a line of a report: no control characters, nothing that is no UTF-8.
    return name.isprintable() and len(name.encode(errors="replace")) <= _NAME_BYTES and "\\" not in name


def _csv_ids(path: Path) -> set[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = {name.strip().lower(): name for name in reader.fieldnames or ()}
            if not {"id", "label"} <= columns.keys():
                raise UserError(f"{path} needs a first line id,label or id,label,group")
            return {id for row in reader if (id := (row[columns["id"]] or "").strip())}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}") from None


def _list_ids(path: Path) -> set[str]:
    try:
        listed = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not isinstance(listed, dict) or not all(isinstance(names, list) for names in listed.values()):
        raise UserError(f'{path} is no list of files by label: it needs {{"1": ["data/metadata/00710.json", ...]}}')
    return {PurePosixPath(name).stem for names in listed.values() for name in names if isinstance(name, str)}
