"""One turn of an engine, and how far the log-probabilities of two turns are apart."""


def generated(engine, request):
    engine.submit(request)
    while True:
        if responses := engine.poll():
            return responses[0]


def furthest(one, other):
    return max(abs(a - b) for a, b in zip(one.logprobs, other.logprobs, strict=True))
