// All that a program outside needs: models, codes, predictions. Folders and files are in docs/developing.md.
#pragma once

#include "signfold/base/error.h"
#include "signfold/base/interrupt.h"
#include "signfold/base/matrix.h"
#include "signfold/codec/codec.h"
#include "signfold/codec/fit.h"
#include "signfold/codec/model.h"
#include "signfold/codec/train.h"
#include "signfold/prior/prior.h"
#include "signfold/source/source.h"
#include "signfold/theory/linear_risk.h"
#include "signfold/theory/rate_distortion.h"
#include "signfold/theory/state_evolution.h"
