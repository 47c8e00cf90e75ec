"""torch.optim.AdamW(fused=True): 20 steps on a random vector, a new learning rate each step."""

import torch

import fixture

TOLERANCE = 1e-6
SIZE, STEPS = 67, 20  # 67: vector bodies of every width plus a tail
SETTINGS = {"beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "weight_decay": 0.1}


def make(folder):
    parameter = torch.nn.Parameter(torch.from_numpy(fixture.random(20, SIZE)).float())
    gradients = torch.from_numpy(fixture.random(21, STEPS, SIZE)).float()
    gradients[:, :8] *= 1e-6  # small second moments, where epsilon matters
    optimizer = torch.optim.AdamW([parameter], betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1, fused=True)
    start, after, first, second, rates = parameter.detach().clone(), [], [], [], []
    for step in range(STEPS):
        rates.append(1e-2 * (step + 1) / STEPS)
        optimizer.param_groups[0]["lr"] = rates[-1]
        parameter.grad = gradients[step].clone()
        optimizer.step()
        after.append(parameter.detach().clone())
        first.append(optimizer.state[parameter]["exp_avg"].clone())
        second.append(optimizer.state[parameter]["exp_avg_sq"].clone())
    fixture.write_tensors(folder / "adamw.safetensors", {
        "start": start.numpy(), "gradient": gradients.numpy(), "parameter": torch.stack(after).numpy(),
        "first_moment": torch.stack(first).numpy(), "second_moment": torch.stack(second).numpy()})
    fixture.write_json(folder / "adamw.json", {
        "made_with": f"torch {torch.__version__.split('+')[0]}", **SETTINGS, "learning_rate": rates})
