#pragma once
#include <cstdio>
static const int loaded = std::fprintf(stderr, "loaded\n");
