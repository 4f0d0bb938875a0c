"""PyTorch modules with the parameter names and the arithmetic of the published networks, in evaluation mode only.

Ribeiro et al. 2020 as in antonior92/ecg-age-prediction; xresnet1d101 and inception1d as in helme/ecg_ptbxl_benchmarking.
"""

import torch
from torch import nn


class ResidualBlock(nn.Module):
    def __init__(self, channels, filters, stride, kernel):
        super().__init__()
        self.conv1 = nn.Conv1d(channels, filters, kernel, padding=kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm1d(filters)
        self.conv2 = nn.Conv1d(filters, filters, kernel, stride, max(0, (kernel - stride + 1) // 2), bias=False)
        self.bn2 = nn.BatchNorm1d(filters)
        skip = [nn.MaxPool1d(stride, stride)] if stride > 1 else []
        if channels != filters:
            skip.append(nn.Conv1d(channels, filters, 1, bias=False))
        self.skip_connection = nn.Sequential(*skip) if skip else None

    def forward(self, pair):
        x, y = pair
        y = self.skip_connection(y) if self.skip_connection is not None else y
        y = self.conv2(torch.relu(self.bn1(self.conv1(x)))) + y
        return torch.relu(self.bn2(y)), y


class Ribeiro(nn.Module):
    def __init__(self, channels, length, filters, lengths, kernel, classes):
        super().__init__()
        stride = length // lengths[0]
        self.conv1 = nn.Conv1d(channels, filters[0], kernel, stride, max(0, (kernel - stride + 1) // 2), bias=False)
        self.bn1 = nn.BatchNorm1d(filters[0])
        before = [(filters[0], lengths[0]), *zip(filters, lengths)]
        for k, (f, l) in enumerate(zip(filters, lengths)):
            self.add_module(f"resblock1d_{k}", ResidualBlock(before[k][0], f, before[k][1] // l, kernel))
        self.lin = nn.Linear(filters[-1] * lengths[-1], classes)
        self.count = len(filters)

    def forward(self, x):
        x = self.bn1(self.conv1(x))
        pair = (x, x)
        for k in range(self.count):
            pair = getattr(self, f"resblock1d_{k}")(pair)
        return self.lin(pair[0].flatten(1))


class ConcatPool(nn.Module):
    def forward(self, x):
        return torch.cat([x.amax(2), x.mean(2)], 1)


def pooling_head(channels, hidden, classes):
    layers, widths = [ConcatPool(), nn.Flatten()], [2 * channels, *hidden, classes]
    for k, (a, b) in enumerate(zip(widths, widths[1:])):
        layers += [nn.BatchNorm1d(a), nn.Dropout(0.5), nn.Linear(a, b)]
        layers += [nn.ReLU()] if k + 2 < len(widths) else []
    return nn.Sequential(*layers)


def conv_layer(a, b, kernel, stride=1, relu=True):
    layers = [nn.Conv1d(a, b, kernel, stride, (kernel - 1) // 2, bias=False), nn.BatchNorm1d(b)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class Bottleneck(nn.Module):
    def __init__(self, channels, inner, stride, kernel):
        super().__init__()
        out = 4 * inner
        self.convs = nn.Sequential(conv_layer(channels, inner, 1), conv_layer(inner, inner, kernel, stride),
                                   conv_layer(inner, out, 1, relu=False))
        self.convpath = nn.Sequential(self.convs)  # the published module has its convolutions under both names
        skip = [nn.AvgPool1d(2, ceil_mode=True)] if stride > 1 else []
        skip += [conv_layer(channels, out, 1, relu=False)] if channels != out else []
        self.idpath = nn.Sequential(*skip)

    def forward(self, x):
        return torch.relu(self.convpath(x) + self.idpath(x))


def xresnet1d101(channels, kernel, hidden, classes):
    stem = [conv_layer(channels, 32, 5, 2), conv_layer(32, 32, 5), conv_layer(32, 64, 5)]
    groups, before = [], 64
    for group, blocks in enumerate((3, 4, 23, 3)):
        layers = []
        for k in range(blocks):
            layers.append(Bottleneck(before, 64, 2 if group and not k else 1, kernel))
            before = 256
        groups.append(nn.Sequential(*layers))
    return nn.Sequential(*stem, nn.MaxPool1d(3, 2, 1), *groups, pooling_head(before, hidden, classes))


class Module(nn.Module):
    def __init__(self, channels, filters, kernels, bottleneck):
        super().__init__()
        conv = lambda a, b, k: nn.Conv1d(a, b, k, padding=(k - 1) // 2, bias=False)
        self.bottleneck = conv(channels, bottleneck, 1)
        self.convs = nn.ModuleList([conv(bottleneck, filters, k) for k in kernels])
        self.conv_bottle = nn.Sequential(nn.MaxPool1d(3, 1, 1), conv(channels, filters, 1))
        self.bn_relu = nn.Sequential(nn.BatchNorm1d((len(kernels) + 1) * filters), nn.ReLU())

    def forward(self, x):
        narrow = self.bottleneck(x)
        return self.bn_relu(torch.cat([conv(narrow) for conv in self.convs] + [self.conv_bottle(x)], 1))


class Shortcut(nn.Module):
    def __init__(self, channels, out):
        super().__init__()
        self.conv = nn.Conv1d(channels, out, 1, bias=False)
        self.bn = nn.BatchNorm1d(out)

    def forward(self, x, y):
        return torch.relu(y + self.bn(self.conv(x)))


class Backbone(nn.Module):
    def __init__(self, channels, filters, kernel, depth, bottleneck):
        super().__init__()
        kernels = [k - 1 if k % 2 == 0 else k for k in (kernel, kernel // 2, kernel // 4)]
        wide = 4 * filters
        self.im = nn.ModuleList([Module(wide if k else channels, filters, kernels, bottleneck) for k in range(depth)])
        self.sk = nn.ModuleList([Shortcut(wide if k else channels, wide) for k in range(depth // 3)])

    def forward(self, x):
        start = x
        for k, module in enumerate(self.im):
            x = module(x)
            if k % 3 == 2:
                x = start = self.sk[k // 3](start, x)
        return x


class Inception(nn.Module):
    def __init__(self, channels, filters, kernel, depth, bottleneck, hidden, classes):
        super().__init__()
        self.layers = nn.Sequential(Backbone(channels, filters, kernel, depth, bottleneck),
                                    pooling_head(4 * filters, hidden, classes))

    def forward(self, x):
        return self.layers(x)


def build(config):
    """The network of a config of the candle engine, without its activation."""
    c, i, classes = config, config["input"], config["output"]["classes"]
    match c["architecture"]:
        case "ribeiro2020-resnet1d":
            return Ribeiro(i["channels"], i["length"], c["filters"], c["lengths"], c["kernel_size"], classes)
        case "xresnet1d101":
            return xresnet1d101(i["channels"], c["kernel_size"], c["hidden"], classes)
        case "inception1d":
            return Inception(i["channels"], c["filters"], c["kernel_size"], c["depth"], c["bottleneck"], c["hidden"],
                             classes)
