from benchmarks.pipeline.preset import QUICK, Preset, preset


def test_a_preset_file_changes_what_it_names(tmp_path):
    file = tmp_path / "preset.yaml"
    file.write_text("rl_steps: 100\n")
    assert preset(str(file), quick=False) == Preset(rl_steps=100)
    assert preset(None, quick=True) == QUICK
