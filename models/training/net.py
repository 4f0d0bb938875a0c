"""The network: a small convolution over the beat, a dense layer over the features, joined."""

import torch
from torch import nn


class Net(nn.Module):
    """With `features` zero there is the wave alone. Layer places in the sequences are read by weights.py."""

    def __init__(self, features, channels=(8, 12, 16, 16, 4), hidden=16, dropout=0.25, inputs=2, length=128, classes=4):
        super().__init__()
        a, b, c, d, e = channels
        norm = lambda n: nn.BatchNorm1d(n, eps=1e-4, momentum=0.02)
        conv = lambda i, o, k, s: [nn.Conv1d(i, o, k, s, k // 2), norm(o), nn.ReLU()]
        self.wave = nn.Sequential(*conv(inputs, a, 7, 2), *conv(a, b, 5, 2), *conv(b, c, 5, 2), *conv(c, d, 3, 1),
                                  *conv(d, e, 1, 1), nn.Flatten(), nn.Dropout(dropout),
                                  nn.Linear(-(-length // 8) * e, hidden), norm(hidden), nn.ReLU())
        if features:
            self.context = nn.Sequential(nn.Linear(features, hidden), norm(hidden), nn.ReLU())
            self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * hidden, hidden), norm(hidden), nn.ReLU(),
                                      nn.Dropout(dropout / 2), nn.Linear(hidden, classes))
        else:
            self.context, self.head = None, nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, classes))

    def forward(self, beat, rr=None):
        wave = self.wave(beat)
        return self.head(torch.cat([wave, self.context(rr)], 1) if self.context else wave)


def augment(beat, generator):
    """White noise, mains, wander, smoothing, gain and a change of polarity, on both channels alike."""
    n, _, length = beat.shape
    u = lambda *shape: torch.rand(*shape, generator=generator)
    t = torch.arange(length) / 128.0
    chance = lambda p: (u(n, 1, 1) < p).float()
    wave = lambda low, high: torch.sin(2 * torch.pi * ((low + (high - low) * u(n, 1, 1)) * t + u(n, 1, 1)))
    extra = chance(0.5) * u(n, 1, 1) * 0.07 * torch.randn(n, 1, length, generator=generator)
    extra = extra + chance(0.3) * u(n, 1, 1) * 0.05 * wave(48, 62) + chance(0.4) * u(n, 1, 1) * 0.2 * wave(0.1, 0.7)
    beat = beat * torch.exp(0.5 * (u(n, 1, 1) - 0.5)) + extra
    smooth = beat.clone()
    smooth[:, :, 1:-1] = (beat[:, :, :-2] + 2 * beat[:, :, 1:-1] + beat[:, :, 2:]) / 4
    beat = torch.where(u(n, 1, 1) < 0.3, smooth, beat)
    return beat * (1 - 2 * chance(0.5))


def temperature(logits, y):
    """The divisor of the logits that minimises cross entropy, by search on a fine grid."""
    grid = torch.linspace(0.2, 2.5, 231)
    losses = [nn.functional.cross_entropy(logits / t, y).item() for t in grid]
    return float(grid[min(range(len(losses)), key=losses.__getitem__)])
