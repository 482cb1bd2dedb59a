"""Our own wording of a question, by how the answer is marked, and the frame of a tool's reply.

Other projects' prompts are theirs: a user gives the file.

Depends on nothing.
"""

BOXED = (
    "{question}\n\nThink step by step. Where a detail is too small to see, look closer with a tool. "
    "Give the final answer within \\boxed{{}}."
)
TAGGED = (
    "{question}\n\nThink step by step. Where a detail is too small to see, look closer with a tool. "
    "Give the final answer between <answer> and </answer>."
)
REQUESTS = {
    "choice": "Answer with the letter of the option.",
    "number": "Answer with a number.",
    "anls": "Answer with a word or a short phrase from the image.",
    "exact": "Answer with a word, a number or a short phrase.",
}
"""What is graded, by grader: our own rows say it below the options, as the lines of published questions do."""
EXPECTED_TAGGED = "Call a tool, or give the final answer between <answer> and </answer>."
TOOL_RESPONSE = "<tool_response>\n{images}\n</tool_response>"
"""What comes back from a tool, as the chat templates of Qwen and GLM render a message of the role `tool`."""
TOOL_ERROR = "<tool_response>\nError: {message}\n</tool_response>"
UNIT_28 = 28 * 28
"""Pixels of one token of Qwen2.5-VL: patch 14, merge 2."""
UNIT_32 = 32 * 32
"""Pixels of one token of Qwen3-VL: patch 16, merge 2."""
