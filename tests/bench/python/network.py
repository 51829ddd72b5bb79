"""Training, looks and gradients of 12-10-7-5-4-3-2, tanh, softmax, as users of PyTorch write them: a loop over
autograd, by hand, and many networks at a time."""
import torch
from torch import nn

RATE, BETAS, EPSILON, BATCH = 4e-4, (0.9, 0.999), 1e-8, 256
WIDTH = (12, 10, 7, 5, 4, 3, 2)


def layers_in(flat, *networks):
    """Views W (..., units, inputs) and b (..., 1, units) of each layer in one flat tensor."""
    many, at, layers = flat.numel() // parameters(), 0, []
    for inputs, units in zip(WIDTH, WIDTH[1:]):
        w = flat[at:at + many * units * inputs].view(*networks, units, inputs)
        at += w.numel()
        b = flat[at:at + many * units].view(*networks, 1, units)
        at += b.numel()
        layers.append((w, b))
    return layers


def parameters():
    return sum(units * (inputs + 1) for inputs, units in zip(WIDTH, WIDTH[1:]))


def forward(layers, x):
    """Inputs, activations of every hidden layer, logits."""
    t = [x]
    for w, b in layers:
        product = torch.addmm if x.ndim == 2 else torch.baddbmm
        t.append(product(b, t[-1], w.transpose(-1, -2)))
        if len(t) <= len(layers):
            t[-1].tanh_()
    return t


def backward(layers, t, delta, gradients):
    """Fill the gradients of each layer, from delta of the logits; the deltas of every layer."""
    deltas = [delta]
    for l in reversed(range(len(layers))):
        torch.matmul(delta.transpose(-1, -2), t[l], out=gradients[l][0])
        torch.sum(delta, -2, keepdim=True, out=gradients[l][1])
        if l > 0:
            delta = (delta @ layers[l][0]).mul_(1 - t[l] * t[l])
            deltas.insert(0, delta)
    return deltas


class Data:
    """The training set in the orders of the epochs: the first is given, the others are drawn."""
    def __init__(self, arrays):
        self.x = torch.from_numpy(arrays.x)
        self.y = torch.from_numpy(arrays.y)
        self.target = nn.functional.one_hot(self.y.long(), 2).float()
        self.train = torch.from_numpy(arrays.train)
        self.first = torch.from_numpy(arrays.order)
        self.partition = torch.from_numpy(arrays.partition)
        self.start = torch.from_numpy(arrays.start)

    def order(self, epoch):
        return self.train[torch.randperm(len(self.train))] if epoch else self.first

    def loss(self, logits):
        return nn.functional.cross_entropy(logits[self.train], self.y[self.train].long()).item()


class Eager:
    """nn.Sequential, autograd, torch.optim.Adam in its faster form."""
    def __init__(self, data, flat):
        self.data, self.epoch = data, 0
        modules = []
        for (w, b) in layers_in(flat):
            module = nn.Linear(w.shape[1], w.shape[0])
            module.weight.data.copy_(w)
            module.bias.data.copy_(b[0])
            modules += [module, nn.Tanh()]
        self.model = nn.Sequential(*modules[:-1])
        self.adam = torch.optim.Adam(self.model.parameters(), RATE, BETAS, EPSILON, foreach=True)

    def train(self):
        order = self.data.order(self.epoch)
        self.epoch += 1
        for batch in order.split(BATCH):
            self.adam.zero_grad()
            loss = nn.functional.cross_entropy(self.model(self.data.x[batch]), self.data.y[batch].long())
            loss.backward()
            self.adam.step()

    @torch.no_grad()
    def look(self):
        """Activations of every layer for all patterns."""
        t, layers = self.data.x, []
        for module in self.model:
            t = module(t)
            if isinstance(module, nn.Tanh):
                layers.append(t.numpy())
        self.logits = t
        return layers + [t.softmax(1).numpy()]

    @torch.no_grad()
    def loss(self):
        return {"loss": self.data.loss(self.model(self.data.x))}


class ByHand:
    """One network, or as many at a time as there are in an ensemble: products, the derivatives and Adam written
    out, over one flat tensor."""
    def __init__(self, data, *networks):
        self.data, self.epoch, self.networks = data, 0, networks
        many = networks[0] if networks else 1
        self.flat, self.gradient = torch.empty(many * parameters()), torch.empty(many * parameters())
        self.layers, self.gradients = layers_in(self.flat, *networks), layers_in(self.gradient, *networks)
        for own, start in zip(self.layers, layers_in(data.start)):
            for a, b in zip(own, start): # the first network has the given weights, the others differ
                a.copy_(b)
                if networks:
                    a[1:] *= 1 + 0.1 * torch.randn_like(a[1:])
        self.first, self.second = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.steps = 0

    def train(self):
        if self.networks: # each its own order
            order = torch.stack([self.data.order(self.epoch or i) for i in range(self.networks[0])])
        else:
            order = self.data.order(self.epoch)
        self.epoch += 1
        x, target = self.data.x[order], self.data.target[order]
        for x, target in zip(x.split(BATCH, -2), target.split(BATCH, -2)):
            t = forward(self.layers, x)
            delta = t[-1].softmax(-1).sub_(target).div_(x.shape[-2])
            backward(self.layers, t, delta, self.gradients)
            self.step()

    def step(self):
        self.steps += 1
        one, two = (1 - beta**self.steps for beta in BETAS)
        self.first.lerp_(self.gradient, 1 - BETAS[0])
        self.second.mul_(BETAS[1]).addcmul_(self.gradient, self.gradient, value=1 - BETAS[1])
        self.flat.addcdiv_(self.first, (self.second / two).sqrt_().add_(EPSILON), value=-RATE / one)

    def loss(self):
        layers = [(w[0], b[0]) for w, b in self.layers] if self.networks else self.layers
        return {"loss": self.data.loss(forward(layers, self.data.x)[-1])}


def gradient_statistics(data, flat):
    """Mean and spread of the weight gradients over batches and over samples: norms of each layer.  The gradient
    of one sample is an outer product, so that its square needs no gradient."""
    layers, out = layers_in(flat), {}
    gradient = torch.empty_like(flat)
    gradients = layers_in(gradient)
    m = min(BATCH, len(data.partition) // 4)
    batches = len(data.partition) // m
    each, squares = torch.empty(batches, len(flat)), torch.zeros(len(layers))
    for k, batch in enumerate(data.partition[:batches * m].split(m)):
        t = forward(layers, data.x[batch])
        delta = t[-1].softmax(1) - data.target[batch]
        deltas = backward(layers, t, delta, gradients)
        each[k] = gradient / m
        for l, delta in enumerate(deltas):
            squares[l] += ((delta * delta).sum(1) * (t[l] * t[l]).sum(1)).sum()
    mean, var = each.mean(0), each.var(0, unbiased=False)
    for l, ((a, _), (b, _)) in enumerate(zip(layers_in(mean), layers_in(var))):
        norm = (a * a).sum()
        out[f"mean_norm_{l + 1}"] = norm.sqrt().item()
        out[f"std_norm_{l + 1}"] = b.sum().sqrt().item()
        out[f"sample_std_norm_{l + 1}"] = (squares[l] / (batches * m) - norm).sqrt().item()
    return out
