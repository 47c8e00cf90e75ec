// The command line from its words to the exit code; both programs call it.
#pragma once

#include "pipeline/heavy.h"

namespace cupel::cli {

/// Does what the words ask for and gives the exit code: 0 done, 1 failed, 2 command line or recipe,
/// 3 data, 4 memory or disk, 130 interrupted. Errors are printed, none is thrown.
int main(int argc, char** argv, const pipeline::Heavy& heavy);

}  // namespace cupel::cli
