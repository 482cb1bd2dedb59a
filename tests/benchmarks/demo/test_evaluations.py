"""`pixel-env eval-demo`: a table, a page for each run, and a page that leads to them."""

import re

import pytest

from benchmarks.demo.evaluations import INDEX, Played, main, write_index
from pixel_env.errors import ConfigError
from pixel_env.samples import SAMPLE_SETS

SETS = ("vstar", "tallyqa", "infographics", "mvbench")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder of a small demo without the embedded model."""
    folder = tmp_path_factory.mktemp("eval_demo")
    assert main(["--run", str(folder), "--questions", "5", "--no-model"]) == 0
    return folder


def lines_of(out):
    return [re.split(r"\s{2,}", line) for line in out.splitlines() if line.startswith("sample:")]


def test_the_oracle_is_right_on_every_sample_set_and_always_looks(demo, capsys):
    rows = (demo / "vstar_oracle" / "trajectories.jsonl").read_bytes()
    main(["--run", str(demo), "--questions", "5", "--no-model"])  # all is there: nothing is played again
    lines = lines_of(capsys.readouterr().out)
    assert [line[:5] for line in lines] == [[f"sample:{name}", "oracle", "5", "1.000", "1.000"] for name in SETS]
    assert all(float(line[5]) >= 1.0 and float(line[6]) >= 0.0 for line in lines)
    assert (demo / "vstar_oracle" / "trajectories.jsonl").read_bytes() == rows


def test_no_score_stands_under_the_name_of_a_benchmark(demo, capsys):
    main(["--run", str(demo), "--questions", "5", "--no-model"])
    told = [capsys.readouterr().out, (demo / INDEX).read_text(encoding="utf-8")]
    benchmarks = {sample.benchmark for sample in SAMPLE_SETS.values()}
    for text in told:
        assert not any(name in text for name in benchmarks)
        assert "A score on a sample set is not a score on the benchmark." in text


def test_the_index_leads_to_a_page_for_each_run_that_names_the_player(demo):
    links = re.findall(r'href="([^"]+\.html)"', (demo / INDEX).read_text(encoding="utf-8"))
    assert links == [f"{name}_oracle/view.html" for name in SETS]
    for link, name in zip(links, SETS, strict=True):
        page = (demo / link).read_text(encoding="utf-8")
        assert f"<title>oracle on sample:{name}</title>" in page and "is no " in page
        assert '"policy":"oracle"' in page and "learned_zoom/" not in page


def test_the_index_asks_nothing_of_the_network_and_holds_no_markup_of_others(tmp_path):
    hostile = '<script>window.pwned=1</script>"'
    write_index(tmp_path / INDEX, [Played(hostile, hostile, tmp_path / hostile, 1, 1.0, 1.0, 1.0, 0.5)])
    page = (tmp_path / INDEX).read_text(encoding="utf-8")
    assert "<script" not in page and "default-src 'none'" in page and "http://" not in page and "https://" not in page


def test_a_number_of_questions_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="got '0'; wanted: a whole number, at least 1"):
        main(["--run", str(tmp_path), "--questions", "0"])


def test_the_embedded_model_plays_the_set_that_it_was_taught(tmp_path, capsys):
    pytest.importorskip("torch")
    assert main(["--run", str(tmp_path), "--questions", "4"]) == 0
    lines = lines_of(capsys.readouterr().out)
    assert lines[0][:3] == ["sample:vstar-tiny", "tiny-zoom", "4"] and len(lines) == 5
    assert (tmp_path / "vstar-tiny_tiny-zoom" / "view.html").exists()
