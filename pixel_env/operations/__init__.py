"""Visual operations, one file each; `registry.py` lists them."""

from pixel_env.operations.argument_kinds import Amount, Choice, FrameNumbers, ImageNumber, Point, Region
from pixel_env.operations.arguments import argument
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.operation import ImageOperation, Operation, OperationRule
from pixel_env.operations.registry import OPERATIONS, operation_named, register
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.operations.time_arguments import ClockTime, FrameNumber, Seconds

__all__ = [
    "OPERATIONS",
    "Amount",
    "Choice",
    "ClockTime",
    "CropImage",
    "FrameNumber",
    "FrameNumbers",
    "ImageNumber",
    "ImageOperation",
    "Operation",
    "OperationRule",
    "Point",
    "Region",
    "Seconds",
    "SelectFrames",
    "argument",
    "operation_named",
    "register",
]
