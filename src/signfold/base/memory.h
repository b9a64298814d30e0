// Whether something fits in memory: asked before, because Linux grants more than it has.
#pragma once

#include <cstdint>
#include <string>

namespace signfold {

/// Bytes that this process may still take: what the machine has free, or what its control group leaves if that is less.
/// UINT64_MAX where the system does not tell.
std::uint64_t available_memory();
/// Throws Error "WHAT needs X GB of memory and Y GB are available; REMEDY" unless the bytes are available.
void require_memory(double bytes, const std::string& what, const std::string& remedy);

}  // namespace signfold
