"""Mutants of the command line: names of flags, values, configuration files and further operations."""

from tests.mutants.mutant import Mutant

PARSER = ("tests/pixel_env/command_line/test_parser.py",)
ARGUMENTS = ("tests/agents/config/test_arguments.py",)
CONVENTIONS = ("tests/test_command_conventions.py",)
TRAINING = ("tests/agents/config/test_training_command.py",)
DIALECT_FILES = ("tests/pixel_env/dialects/test_files.py",)
DIALECT_CHECK = ("tests/agents/dialect_check/test_check.py",)

MUTANTS = (
    Mutant(
        "a dash and an underscore in a flag are two things",
        "flag_name",
        '.replace("-", "_")',
        "",
        PARSER,
    ),
    Mutant(
        "a number of a flag may be nan",
        "Bounds.hold",
        "not math.isfinite(number) or ",
        "",
        PARSER,
    ),
    Mutant(
        "the word true is a number of a file",
        "values._number",
        " and not isinstance(value, bool)",
        "",
        PARSER,
    ),
    Mutant(
        "a flag that is unknown is handed to argparse",
        "CommandParser.spelled",
        "        if name not in known:\n            self.refuse_unknown(name, known)\n",
        "",
        PARSER,
    ),
    Mutant(
        "of two equal keys of a file the last one counts",
        "read_settings",
        "        _refuse_repeated(path, root)\n",
        "",
        CONVENTIONS,
    ),
    Mutant(
        "further operations are not played",
        "names.with_operations",
        '"+".join([named.get("dialect") or default_dialect or "", *further])',
        'named.get("dialect") or default_dialect or ""',
        ARGUMENTS,
    ),
    Mutant(
        "an option of TRL's that is refused is in the help",
        "RecipeParser.print_all_flags",
        "*self._command.refused, ",
        "",
        TRAINING,
    ),
    Mutant(
        "a number of TRL's has no bounds",
        "out_of_bounds",
        "BOUNDS.get(name, UNBOUNDED)",
        "UNBOUNDED",
        TRAINING,
    ),
    Mutant(
        "the base of a dialect's file is looked for in the working folder",
        "dialects.files._beside",
        "str(path.parent / name)",
        "name",
        DIALECT_FILES,
    ),
    Mutant(
        "two dialects may be each other's base",
        "dialects.table._named",
        "_in_file(file[0], reading)",
        "_in_file(file[0], ())",
        DIALECT_FILES,
    ),
    Mutant(
        "the templates of a dialect are not checked",
        "checks._check",
        "    _check_templates(dialect)\n",
        "",
        DIALECT_FILES,
    ),
    Mutant(
        "a mark may hold a special token",
        "mark_findings",
        "if token.special]",
        "if False]",
        DIALECT_CHECK,
    ),
    Mutant(
        "images of any multiple fit",
        "image_findings",
        "if budget.factor % factor}",
        "if False}",
        DIALECT_CHECK,
    ),
)
