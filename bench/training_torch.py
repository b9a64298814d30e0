#!/usr/bin/python3
"""PyTorch's side of bench/training, asleep between requests. One request a line on standard input, one JSON object a
line on standard output:

    step FOLDER THREADS REPETITIONS STYLE   as in training_step.cc; the updated B goes to FOLDER/STYLE.npy
    train FOLDER THREADS BITS STEPS STYLE   trains on train.npy (centred, unit mean square), measures on test.npy
    about                                   versions

STYLE is "autograd" (what one writes first) or "by-hand" (no graph, every buffer allocated once). THREADS are PyTorch's
own; the threads of its OpenBLAS are a matter of the environment (OPENBLAS_NUM_THREADS).
"""

import json
import math
import sys
import time

import numpy as np
import torch

RATE, TAU = 0.1, 1.0  # of `step`, as in training_step.cc
ADAM_RATE, BATCH = 0.003, 256  # of `train`, as bench/training asks of Signfold


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(context, u):
        context.save_for_backward(u)
        return torch.sign(u)

    @staticmethod
    def backward(context, gradient):
        (u,) = context.saved_tensors
        return gradient * (1 - torch.tanh(u / TAU) ** 2) / TAU


def dot(a, b):
    return torch.dot(a.view(-1), b.view(-1))


def project_on_tangents(gradient, b):
    gradient.addcmul_((gradient * b).sum(1, keepdim=True), b, value=-1)


def renormalise(b):
    b.div_(torch.linalg.vector_norm(b, dim=1, keepdim=True))


class TiedAutograd:
    """x̂ = αBᵀz with the α that is best for the batch; plain SGD on the unit spheres of the rows."""

    def __init__(self, x, b):
        self.x, self.b = x, b.clone().requires_grad_()

    def step(self):
        x, b = self.x, self.b
        estimate = Sign.apply(x @ b.t()) @ b
        with torch.no_grad():
            gain = (x * estimate).sum() / (estimate * estimate).sum()
        loss = ((x - gain * estimate) ** 2).sum() / len(x)
        loss.backward()
        with torch.no_grad():
            project_on_tangents(b.grad, b)
            b.add_(b.grad, alpha=-RATE)
            renormalise(b)
        b.grad = None
        return loss.item()


class TiedByHand:
    """The same. [Z; G]ᵀ[E; X] is one product instead of two."""

    def __init__(self, x, b):
        count, dim = x.shape
        bits = len(b)
        self.b = b.clone()
        self.u = torch.empty(count, bits)
        self.left = torch.empty(2 * count, bits)
        self.right = torch.empty(2 * count, dim)
        self.right[count:] = x
        self.gradient = torch.empty(bits, dim)
        self.scratch = torch.empty(bits, dim)

    @torch.no_grad()
    def step(self):
        b, u, gradient = self.b, self.u, self.gradient
        count = len(u)
        z, g = self.left[:count], self.left[count:]
        e, x = self.right[:count], self.right[count:]
        torch.mm(x, b.t(), out=u)
        torch.sign(u, out=z)
        torch.mm(z, b, out=e)
        gain = (dot(x, e) / dot(e, e)).item()
        torch.sub(x, e, alpha=gain, out=e)
        loss = dot(e, e).item() / count
        torch.mm(e, b.t(), out=g)
        u.tanh_().square_()  # TAU = 1
        g.addcmul_(g, u, value=-1)
        torch.mm(self.left.t(), self.right, out=gradient)
        torch.mul(gradient, b, out=self.scratch)
        gradient.addcmul_(self.scratch.sum(1, keepdim=True), b, value=-1)
        b.add_(gradient, alpha=2 * RATE * gain / count)
        renormalise(b)
        return loss


class UntiedAutograd:
    """x̂ = Aᵀz; Adam."""

    def __init__(self, b, a):
        self.b, self.a = b.clone().requires_grad_(), a.clone().requires_grad_()
        self.adam = torch.optim.Adam([self.b, self.a], lr=ADAM_RATE)

    def step(self, x, rate):
        loss = ((x - Sign.apply(x @ self.b.t()) @ self.a) ** 2).sum() / len(x)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.update(rate)

    @torch.no_grad()
    def update(self, rate):
        project_on_tangents(self.b.grad, self.b)
        self.adam.param_groups[0]["lr"] = rate
        self.adam.step()
        renormalise(self.b)


class UntiedByHand(UntiedAutograd):
    def __init__(self, b, a):
        super().__init__(b, a)
        self.b.grad, self.a.grad = torch.empty_like(b), torch.empty_like(a)
        self.u, self.z, self.g = (torch.empty(BATCH, len(b)) for _ in range(3))
        self.e = torch.empty(BATCH, b.shape[1])

    @torch.no_grad()
    def step(self, x, rate):
        u, z, g, e = self.u, self.z, self.g, self.e
        torch.mm(x, self.b.t(), out=u)
        torch.sign(u, out=z)
        torch.addmm(x, z, self.a, alpha=-1, out=e)
        torch.mm(e, self.a.t(), out=g)
        u.tanh_().square_()  # TAU = 1
        g.addcmul_(g, u, value=-1).mul_(-2 / len(x))
        torch.mm(z.t(), e, out=self.a.grad).mul_(-2 / len(x))
        torch.mm(g.t(), x, out=self.b.grad)
        self.update(rate)


TIED = {"autograd": TiedAutograd, "by-hand": TiedByHand}
UNTIED = {"autograd": UntiedAutograd, "by-hand": UntiedByHand}


def load(path):
    return torch.from_numpy(np.load(path))


def time_steps(folder, threads, repetitions, style):
    torch.set_num_threads(int(threads))
    training = TIED[style](load(f"{folder}/x.npy"), load(f"{folder}/b.npy"))
    loss = training.step()
    np.save(f"{folder}/{style}.npy", training.b.detach().numpy())
    training.step()  # caches were cooled by the file
    seconds = []
    for _ in range(int(repetitions)):
        start = time.perf_counter()
        training.step()
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "loss": loss}


@torch.no_grad()
def least_squares(x, b):
    """The affine decoder (A, offset) that is best for these vectors."""
    zz, zx = torch.zeros(len(b) + 1, len(b) + 1), torch.zeros(len(b) + 1, x.shape[1])
    for block in x.split(8192):
        z = torch.nn.functional.pad(torch.sign(block @ b.t()), (0, 1), value=1)
        zz += z.t() @ z
        zx += z.t() @ block
    solution = torch.linalg.solve(zz.double() + 1e-6 * len(x) * torch.eye(len(zz)), zx.double()).float()
    return solution[:-1], solution[-1]


@torch.no_grad()
def risk(x, b, a, offset):
    return (((x - torch.sign(x @ b.t()) @ a - offset) ** 2).sum() / (x**2).sum()).item()


def train(folder, threads, bits, steps, style):
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    x, test = load(f"{folder}/train.npy"), load(f"{folder}/test.npy")
    bits, steps = int(bits), int(steps)
    start = time.perf_counter()
    b = torch.linalg.qr(torch.randn(x.shape[1], bits))[0].t().contiguous()
    training = UNTIED[style](b, least_squares(x[: max(2000, 6 * bits)], b)[0])
    order = torch.empty(0, dtype=torch.long)
    for step in range(steps):
        if len(order) < BATCH:
            order = torch.cat([order, torch.randperm(len(x))])
        rate = ADAM_RATE * (1 + math.cos(math.pi * step / steps)) / 2
        training.step(x[order[:BATCH]], rate)
        order = order[BATCH:]
    a, offset = least_squares(x, training.b)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "risk": risk(test, training.b, a, offset)}


def about():
    return {"torch": torch.__version__}


COMMANDS = {"step": time_steps, "train": train, "about": about}

if __name__ == "__main__":
    for request in sys.stdin:
        command, *arguments = request.split()
        print(json.dumps(COMMANDS[command](*arguments)), flush=True)
