// Keeps one bit per coordinate of vectors of a known law, and says how well that went beside what was predicted.
#include <signfold/signfold.h>

#include <cstdint>
#include <cstdio>
#include <vector>

int main() {
  try {
    constexpr std::size_t kDim = 1024;
    constexpr std::size_t kVectors = 500;

    // A model needs no data where the law of a coordinate is known; signfold::fit() learns it from a source of vectors.
    const signfold::PriorPtr prior = signfold::parse_prior("sparse-gaussian:0.1");
    const signfold::Model model = signfold::model_for_prior(prior, kDim, {.rate = 1, .decoder = "rigamp:5"});

    signfold::Matrix<float> x(kVectors, kDim);
    signfold::synthetic_source(prior, kVectors, kDim, /*seed=*/1)->read(x);

    // Vectors to bits, and one norm each ...
    signfold::Matrix<std::uint8_t> codes(kVectors, signfold::code_bytes(model.bits()));
    std::vector<float> scales(kVectors);
    signfold::encode_rows(model, x, codes, scales);

    // ... and back, with all layers of the decoder.
    signfold::Matrix<float> back(kVectors, kDim);
    signfold::decode_rows(model, codes, scales, /*layers=*/-1, back);

    double error = 0;
    double energy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double difference = x.data()[i] - back.data()[i];
      error += difference * difference;
      energy += double{x.data()[i]} * x.data()[i];
    }
    std::printf("%zu bits per vector of %zu coordinates: risk %.4f, predicted %.4f\n", model.bits_per_vector(), kDim,
                error / energy, model.predicted_risk(model.network->layers()));
    return 0;
  } catch (const signfold::Error& e) {
    std::fprintf(stderr, "compress: %s\n", e.what());
    return 1;
  }
}
