// The command line from its words to the exit code; both programs call it.
#pragma once

#include "pipeline/heavy.h"

namespace cupel::cli {

int main(int argc, char** argv, const pipeline::Heavy& heavy);

}  // namespace cupel::cli
