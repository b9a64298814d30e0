// How the codec cuts its work: what encode, decode and evaluate share.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "signfold/codec/model.h"
#include "signfold/source/source.h"

namespace signfold {

/// Throws Error unless the vectors of the source have the dimension of the model.
void check_dimension(const Model& model, const Source& source);
/// Rows of d coordinates that are worked on together, so that float32 buffers stay below 32 MB.
std::size_t chunk_rows(std::size_t dim);
/// Rows that one thread takes at a time: few enough to share the work, enough to keep its buffers useful.
std::size_t rows_per_task(const Model& model);
/// Bits of the first `stages` stages, from 1 on; all bits unless the code is staged and has more stages.
std::size_t prefix_bits(const Model& model, int stages);
/// The factors of x̂ that Network::decode wants: stored scales in units of the model, or the unit itself for none.
std::vector<float> decoder_scales(const Model& model, std::span<const float> stored, std::size_t rows);

}  // namespace signfold
