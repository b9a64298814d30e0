// Makes the checksums of damaged files right again, so that what stands behind them is tested too.
#pragma once

#include <cstddef>
#include <vector>

namespace signfold::fuzz {

using Bytes = std::vector<std::byte>;

/// The checksums of the header and of every section that can be found. `fingerprint` repairs the fingerprint as well,
/// unless the model would be large: one of 2^28 coordinates may legitimately take hundreds of megabytes.
void repair_model(Bytes& file, bool fingerprint);
/// The checksums of the header and of every plane that can be found.
void repair_codes(Bytes& file);
/// The checksum of what follows the header, and its length.
void repair_checkpoint(Bytes& file);

}  // namespace signfold::fuzz
