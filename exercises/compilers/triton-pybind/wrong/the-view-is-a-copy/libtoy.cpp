// libtoy: the library of toy.h for Python, bound as libtriton binds MLIR.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "toy.h"

namespace py = pybind11;
using namespace pybind11::literals;
using toy::Builder, toy::Context, toy::Module, toy::Operation, toy::Pipeline, toy::Tensor;

namespace {

// Numbers of any kind, in any order in memory: what is not float32, row after row, is converted.
using Numbers = py::array_t<float, py::array::c_style | py::array::forcecast>;

// The tensor as an array. The rows lie stride() numbers apart.
py::array_t<float> array(Tensor &tensor) {
    const auto bytes = static_cast<py::ssize_t>(sizeof(float));
    const auto rows = static_cast<py::ssize_t>(tensor.rows()), columns = static_cast<py::ssize_t>(tensor.columns());
    const auto stride = static_cast<py::ssize_t>(tensor.stride());
    return py::array_t<float>({rows, columns}, {stride * bytes, bytes}, tensor.data());
}

Operation &constant(Builder &builder, const Numbers &numbers) {
    if (numbers.ndim() != 2) throw py::value_error("a constant has two dimensions");
    return builder.constant(numbers.data(), static_cast<size_t>(numbers.shape(0)), static_cast<size_t>(numbers.shape(1)));
}

void init_ir(py::module_ m) {
    using ret = py::return_value_policy;

    py::register_exception<toy::ParseError>(m, "ParseError", PyExc_ValueError);

    py::class_<Context>(m, "context").def(py::init<>());

    py::class_<Tensor>(m, "tensor")
        .def("__array__", [](Tensor &self, const py::args &, const py::kwargs &) { return array(self); })
        .def_property_readonly("shape", [](const Tensor &self) { return py::make_tuple(self.rows(), self.columns()); });

    // Owned by its module: Python gets a reference, which keeps the module alive.
    py::class_<Operation>(m, "operation")
        .def_property("name", &Operation::name, &Operation::set_name)
        .def_property_readonly("module", &Operation::module, ret::reference)
        .def_property_readonly("tensor", &Operation::tensor, ret::reference_internal);

    py::class_<Module>(m, "module")
        .def(py::init<Context &>(), "context"_a, py::keep_alive<1, 2>())
        .def_property_readonly("context", &Module::context, ret::reference)
        .def("__len__", &Module::size)
        .def("__getitem__", &Module::at, ret::reference_internal)
        .def("__str__", &Module::print);

    m.def("parse", &toy::parse, "text"_a, "context"_a, py::keep_alive<0, 2>());

    py::class_<Builder>(m, "builder")
        .def(py::init<Module &>(), "module"_a, py::keep_alive<1, 2>())
        .def("create", &Builder::create, "name"_a, ret::reference_internal)
        .def("constant", &constant, "numbers"_a, ret::reference_internal);
}

void init_passes(py::module_ m) {
    // The passes are Python functions and run in threads of C++: whoever waits for them must not hold the GIL, and
    // std::function takes it for each call.
    py::class_<Pipeline>(m, "pipeline")
        .def(py::init<>())
        .def("add", &Pipeline::add, "name"_a, "function"_a)
        .def("run", &Pipeline::run, "module"_a, py::call_guard<py::gil_scoped_release>());
}

}  // namespace

PYBIND11_MODULE(libtoy, m) {
    m.doc() = "The toy compiler";
    init_ir(m.def_submodule("ir", "Contexts, modules, operations"));
    init_passes(m.def_submodule("passes", "What is run over a module"));
}
