from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.manifests import LABEL_MANIFEST, PHOTO_MANIFEST, digest, manifests

IDS = st.lists(st.from_regex(r"[0-9]{1,6}", fullmatch=True), unique=True, min_size=1, max_size=20)


@given(IDS)
def test_manifests_name_photos_and_records_in_the_order_of_s3(ids: list[str]) -> None:
    texts = manifests(ids)
    for name, folder, suffix in ((PHOTO_MANIFEST, "bin-images", "jpg"), (LABEL_MANIFEST, "metadata", "json")):
        first, *rest = json.loads(texts[name])
        assert first == {"prefix": f"s3://aft-vbi-pds/{folder}/"}
        assert rest == sorted(f"{id}.{suffix}" for id in ids)


@given(IDS)
def test_the_content_names_them(ids: list[str]) -> None:
    texts = manifests(ids)
    assert digest(texts) == digest(manifests(reversed(ids)))
    assert digest(texts) != digest(manifests([*ids, "1234567"]))
