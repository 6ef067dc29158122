// libtoy: the library of toy.h for Python. toy.h says who owns what; the lesson says what Python is to see.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "toy.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace {

void init_ir(py::module_ m) {
    // Begin with the class that needs nothing else. Which of the others keeps which alive?
    py::class_<toy::Context>(m, "context").def(py::init<>());
}

void init_passes(py::module_ m) {
    // pipeline: add(name, function), run(module)
    (void)m;
}

}  // namespace

PYBIND11_MODULE(libtoy, m) {
    m.doc() = "The toy compiler";
    init_ir(m.def_submodule("ir", "Contexts, modules, operations"));
    (void)init_passes;  // in a submodule of its own
}
