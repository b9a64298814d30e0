#include "signfold/codec/truncate.h"

#include "signfold/base/interrupt.h"

namespace signfold {

std::uint64_t truncate_codes(const std::string& codes, std::size_t stages, const std::string& path,
                             const Progress& progress) {
  CodeReader reader(codes);
  reader.keep_stages(stages);
  CodeHeader header = reader.header();
  header.block_rows = 0;
  CodeWriter writer(path, header);
  std::uint64_t done = 0;
  for (CodeBlock block = reader.read_block(); block.rows > 0; block = reader.read_block()) {
    writer.write(block.codes, block.scales);
    done += block.rows;
    if (progress) progress(done, reader.header().count);
    throw_if_interrupted();
  }
  writer.commit();
  return done;
}

}  // namespace signfold
