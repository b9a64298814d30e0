#include "signfold/cli/cli.h"
#include "signfold/mpi/join_ranks.h"

int main(int argc, char** argv) { return signfold::cli::run(argc, argv, signfold::mpi::join_ranks); }
