"""CITATION.cff is valid for the Citation File Format 1.2.0 and cites this release."""

import tomllib

import yaml

import pixel_env
from tests.installations import ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {
    *("abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url"),
    *("preferred-citation", "references", "repository", "repository-artifact", "repository-code", "type", "url"),
    "version",
}
REQUIRED_OF_A_REFERENCE = {"type", "title", "authors"}


def test_the_keys_are_those_of_the_format():
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    assert REQUIRED <= CITATION.keys() <= ALLOWED
    assert all(reference.keys() >= REQUIRED_OF_A_REFERENCE for reference in CITATION["references"])


def test_every_value_is_of_the_type_that_the_format_wants():
    assert all(isinstance(CITATION[key], str) and CITATION[key] for key in ("message", "title", "version", "license"))
    works = [CITATION, *CITATION["references"]]
    assert all(author.keys() in ({"name"}, {"family-names", "given-names"}) for w in works for author in w["authors"])
    assert all(isinstance(reference["year"], int) for reference in CITATION["references"])


def test_it_cites_this_release_under_its_licence():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert CITATION["version"] == pixel_env.__version__
    assert CITATION["license"] == project["license"]
    assert [author["name"] for author in CITATION["authors"]] == [author["name"] for author in project["authors"]]
