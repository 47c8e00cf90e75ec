# Sourced by scripts/oracle and scripts/bench: sets $python, an interpreter with the pinned versions of the
# reference implementations.
environment=$CUPEL_HOME/oracle
requirements=$root/tools/oracle/requirements.txt
python=$environment/bin/python
if ! cmp -s "$requirements" "$environment/requirements.txt"; then
  say "setting up PyTorch and transformers in $environment (once, about 5 GB)" >&2
  [ -x "$python" ] || python3 -m venv "$environment"
  "$python" -m pip install --quiet --disable-pip-version-check -r "$requirements" >&2
  cp "$requirements" "$environment/requirements.txt"
fi
