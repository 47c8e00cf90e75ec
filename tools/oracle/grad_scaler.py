"""torch.amp.GradScaler on a CPU: its state after each of 1,000 steps with injected overflows.

Every step unscales the same gradient; an injected value replaces its element 0. C++ must reach the same
scale, growth tracker and decision bit for bit. GradScaler has no floor; where a sequence names one, its own
update(new_scale) sets the scale back to it, which leaves the growth tracker alone.
"""

import numpy as np
import torch

import fixture

TOLERANCE = 0
STEPS = 1000
GRADIENT = [0.5, -3.0, 1e-3, 2e4, -7.25e-6]
INJECTED = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}


def uniform(seed):
    return np.random.Generator(np.random.PCG64(seed)).random(STEPS)


def sometimes(seed, share):
    """Step -> kind of overflow, at random steps."""
    kinds = list(INJECTED)
    return {step: kinds[step % 3] for step, u in enumerate(uniform(seed)) if u < share}


SEQUENCES = {
    # name: (init_scale, growth_factor, backoff_factor, growth_interval, initial tracker, min_scale, injections)
    "defaults": (65536.0, 2.0, 0.5, 2000, 0, 0.0, sometimes(1, 0.01)),
    "resumed_before_growth": (65536.0, 2.0, 0.5, 2000, 1500, 0.0, sometimes(2, 0.0008)),
    "short_interval": (65536.0, 2.0, 0.5, 20, 0, 0.0, sometimes(3, 0.03)),
    "scale_no_power_of_two": (1000.0, 1.3, 0.7, 7, 0, 0.0, sometimes(4, 0.1)),
    "down_to_zero": (65536.0, 2.0, 0.5, 5, 0, 0.0, sometimes(5, 0.8)),
    "up_to_the_largest_float": (2.0**100, 2.0, 0.5, 10, 0, 0.0, sometimes(6, 0.005)),
    "held_at_min_scale": (64.0, 2.0, 0.5, 4, 0, 1.0, sometimes(7, 0.2)),
    "held_between_powers_of_two": (1000.0, 1.3, 0.7, 3, 0, 333.3, sometimes(8, 0.25)),
}


def bits(tensor):
    return tensor.numpy().view(np.uint32).tolist()


def record(init_scale, growth_factor, backoff_factor, growth_interval, tracker, min_scale, injections):
    parameter = torch.nn.Parameter(torch.zeros(len(GRADIENT)))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    scaler = torch.amp.GradScaler("cpu", init_scale, growth_factor, backoff_factor, growth_interval)
    scaler.load_state_dict(scaler.state_dict() | {"_growth_tracker": tracker})
    taken = []
    optimizer.register_step_post_hook(lambda *_: taken.append(True))
    rows = {"scale": [], "growth_tracker": [], "skipped": []}
    unscaled = []
    for step in range(STEPS):
        scaler.scale(torch.zeros(()))  # creates the state on first use
        before = scaler.get_scale()
        parameter.grad = torch.tensor(GRADIENT)
        if step in injections:
            parameter.grad[0] = INJECTED[injections[step]]
        taken.clear()
        scaler.unscale_(optimizer)
        if step in (0, 1, 50, 51, 300, 999):
            unscaled.append({"step": step, "scale": before, "gradient_bits": bits(parameter.grad)})
        scaler.step(optimizer)
        scaler.update()
        if scaler.get_scale() < min_scale:
            scaler.update(min_scale)
        rows["scale"].append(scaler.get_scale())
        rows["growth_tracker"].append(scaler._get_growth_tracker())
        rows["skipped"].append(0 if taken else 1)
    return rows, unscaled


def make(folder):
    for name, settings in SEQUENCES.items():
        rows, unscaled = record(*settings)
        keys = ("init_scale", "growth_factor", "backoff_factor", "growth_interval", "growth_tracker_at_start", "min_scale")
        fixture.write_json(folder / f"{name}.json", {
            "made_with": f"torch {torch.__version__.split('+')[0]}", "steps": STEPS, "gradient": GRADIENT,
            **dict(zip(keys, settings)),
            "injected_step": list(settings[6]), "injected_kind": list(settings[6].values()),
            **rows, "unscaled": unscaled})
