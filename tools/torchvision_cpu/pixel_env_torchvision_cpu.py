"""Declares the operators that torchvision's Python code expects, where its compiled library cannot load.

Loaded at every start of this Python by the `.pth` file beside it, because programs such as vLLM start further
processes in which nothing of ours would otherwise run. So it must cost nothing: it imports neither torch nor
torchvision, and only waits for the import of torchvision.
"""

import sys

# torchvision loads its compiled library first and describes the operators in this module next. Between the two we know
# what is missing, without a guess about versions.
_MODULE_THAT_NEEDS_THE_OPERATORS = "torchvision._meta_registrations"
_MISSING_OPERATORS = ("nms", "qnms")
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"

# torch forgets a declaration when the library object that made it is collected.
_declarations: list[object] = []


class _BeforeTheOperatorsAreNeeded:
    """An import hook that finds nothing; it only acts at the right moment and steps aside."""

    def find_spec(self, name, path=None, target=None):  # the import system fixes this signature
        if name == _MODULE_THAT_NEEDS_THE_OPERATORS:
            sys.meta_path.remove(self)
            _declare_missing_operators()
        return None


def _declare_missing_operators() -> None:
    import torch

    if torch.version.cuda is not None or torch.version.hip is not None:
        return  # a torchvision that does not load beside these is a broken installation; its own error should be seen
    missing = [name for name in _MISSING_OPERATORS if not hasattr(torch.ops.torchvision, name)]
    if not missing:
        return
    # A fragment can be declared beside an existing library of that name.
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in missing:
        library.define(name + _SIGNATURE)
    _declarations.append(library)


sys.meta_path.insert(0, _BeforeTheOperatorsAreNeeded())
