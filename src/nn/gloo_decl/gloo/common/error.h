// Gloo, as c10d/ProcessGroupGloo.hpp of LibTorch 2.11.0 includes it: it uses nothing of this file.
#pragma once
