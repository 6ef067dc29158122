// The primitives alone: the classes of nvcuda::experimental are what cuda/pipeline is, which cannot be emulated.
#pragma once
#include "cuda_pipeline_primitives.h"
