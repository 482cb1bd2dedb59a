"""A tower's first convolution, of single patches, is a product of rows: the same numbers for less work."""

import pytest
import torch

from agents.engines.vision import patches_as_rows

KERNEL = (2, 4, 4)


@pytest.fixture
def convolution():
    torch.manual_seed(0)
    return torch.nn.Conv3d(3, 32, KERNEL, stride=KERNEL)


def outputs_and_gradient(convolution, patches):
    convolution.zero_grad()
    output = convolution(patches)
    output.square().sum().backward()
    return output.detach(), convolution.weight.grad.clone()


def test_single_patches_give_the_same_features_and_gradients(convolution):
    patches = torch.randn(50, 3, *KERNEL)
    wanted = outputs_and_gradient(convolution, patches)
    with patches_as_rows(convolution):
        found = outputs_and_gradient(convolution, patches)
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape and torch.allclose(one, other, rtol=1e-5, atol=1e-4)


def test_a_whole_picture_and_grouped_channels_are_convolved_as_before(convolution):
    picture = torch.randn(1, 3, 4, 16, 16)
    grouped = torch.nn.Conv3d(4, 8, KERNEL, stride=KERNEL, groups=2)
    patches = torch.randn(5, 4, *KERNEL)
    wanted = convolution(picture), grouped(patches)
    with patches_as_rows(torch.nn.Sequential(convolution, grouped)):
        assert torch.equal(convolution(picture), wanted[0])
        assert torch.equal(grouped(patches), wanted[1])


def test_afterwards_a_module_is_as_it_was_and_one_with_a_forward_of_its_own_is_left_alone(convolution):
    hooked = torch.nn.Conv3d(3, 8, KERNEL, stride=KERNEL)
    hooked.forward = own = lambda patches: patches
    with pytest.raises(ValueError), patches_as_rows(torch.nn.Sequential(convolution, hooked)):
        assert hooked.forward is own
        raise ValueError
    assert hooked.forward is own and "forward" not in vars(convolution)


def test_no_convolution_is_computed_for_single_patches(convolution, monkeypatch):
    monkeypatch.delattr(torch.nn.functional, "conv3d")
    with patches_as_rows(convolution):
        convolution(torch.randn(5, 3, *KERNEL))
