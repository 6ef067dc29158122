// The library that is to be bound. Each object is registered while it lives, and its memory is never used again, so that
// the use of a dead one is an exception and not luck.
#include "toy.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <future>
#include <limits>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>
#include <unordered_map>

namespace toy {

namespace {

std::mutex guard;
std::unordered_map<const void *, std::string> living;
std::map<std::string, long> ended_twice;

void born(const void *object, const char *kind) {
    std::lock_guard lock(guard);
    living.emplace(object, kind);
}

// Whether it was alive.
bool ended(const void *object, const char *kind) {
    std::lock_guard lock(guard);
    if (living.erase(object)) return true;
    ended_twice[kind]++;
    return false;
}

void demand(const void *object, const char *kind, const char *method) {
    std::lock_guard lock(guard);
    if (!living.count(object))
        throw std::logic_error(std::string("toy::") + kind + "::" + method + ": this " + kind + " has been destroyed");
}

}  // namespace

ParseError::ParseError(int at, const std::string &what)
    : std::runtime_error("line " + std::to_string(at) + ": " + what), line(at) {}

Context::Context() { born(this, "Context"); }
Context::~Context() { ended(this, "Context"); }

// --- Tensor

struct Tensor::State {
    size_t rows, columns, stride;
    std::vector<float> numbers;
};

Tensor::Tensor(size_t rows, size_t columns)
    : state(new State{rows, columns, (columns + 4) / 4 * 4, std::vector<float>(rows * ((columns + 4) / 4 * 4), -1.0f)}) {
    born(this, "Tensor");
}

Tensor::Tensor(const Tensor &other) : state(new State(*other.state)) { born(this, "Tensor"); }

Tensor::~Tensor() {
    // the numbers stay allocated: a view of them sees that they are no more
    if (ended(this, "Tensor"))
        std::fill(state->numbers.begin(), state->numbers.end(), std::numeric_limits<float>::quiet_NaN());
}

size_t Tensor::rows() const {
    demand(this, "Tensor", "rows()");
    return state->rows;
}

size_t Tensor::columns() const {
    demand(this, "Tensor", "columns()");
    return state->columns;
}

size_t Tensor::stride() const {
    demand(this, "Tensor", "stride()");
    return state->stride;
}

float *Tensor::data() {
    demand(this, "Tensor", "data()");
    return state->numbers.data();
}

// --- Operation

struct Operation::State {
    Module *module;
    std::string name;
    Tensor *tensor = nullptr;
};

Operation::Operation(Module *module, std::string name) : state(new State{module, std::move(name)}) { born(this, "Operation"); }

Operation::Operation(const Operation &other) : state(new State(*other.state)) {
    if (state->tensor) state->tensor = new Tensor(*state->tensor);
    born(this, "Operation");
}

Operation::~Operation() {
    if (ended(this, "Operation") && state->tensor) state->tensor->~Tensor();
}

const std::string &Operation::name() const {
    demand(this, "Operation", "name()");
    return state->name;
}

void Operation::set_name(const std::string &name) {
    demand(this, "Operation", "set_name()");
    if (name.empty()) throw std::invalid_argument("an operation has a name");
    state->name = name;
}

Module &Operation::module() const {
    demand(this, "Operation", "module()");
    return *state->module;
}

Tensor *Operation::tensor() {
    demand(this, "Operation", "tensor()");
    return state->tensor;
}

// --- Module

struct Module::State {
    Context *context;
    std::vector<Operation *> operations;
};

Module::Module(Context &context) : state(new State{&context, {}}) { born(this, "Module"); }

Module::~Module() {
    if (!ended(this, "Module")) return;
    for (Operation *operation : state->operations) operation->~Operation();
}

Context &Module::context() const {
    demand(this, "Module", "context()");
    std::lock_guard lock(guard);
    if (!living.count(state->context)) throw std::logic_error("toy::Module: its Context has been destroyed");
    return *state->context;
}

size_t Module::size() const {
    context();
    return state->operations.size();
}

Operation &Module::at(size_t index) {
    context();
    return *state->operations.at(index);
}

std::string Module::print() const {
    context();
    std::ostringstream out;
    out << "module {\n";
    for (Operation *operation : state->operations) {
        out << "  " << operation->name();
        if (Tensor *tensor = operation->tensor()) out << " " << tensor->rows() << "x" << tensor->columns();
        out << "\n";
    }
    out << "}";
    return out.str();
}

// --- making modules

static std::string trimmed(const std::string &line) {
    size_t first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t");
    return first == std::string::npos ? "" : line.substr(first, last - first + 1);
}

std::unique_ptr<Module> parse(const std::string &text, Context &context) {
    auto module = std::make_unique<Module>(context);
    Builder builder(*module);
    std::istringstream lines(text);
    std::string line;
    for (int number = 1; std::getline(lines, line); number++) {
        std::string name = trimmed(line);
        for (char c : name)
            if (!std::islower(static_cast<unsigned char>(c)) && c != '.' && c != '_')
                throw ParseError(number, "no operation is called '" + name + "'");
        if (!name.empty()) builder.create(name);
    }
    return module;
}

Builder::Builder(Module &module) : module(&module) {}

Operation &Builder::create(const std::string &name) {
    module->context();
    module->state->operations.push_back(new Operation(module, name));
    return *module->state->operations.back();
}

Operation &Builder::constant(const float *numbers, size_t rows, size_t columns) {
    Operation &made = create("constant");
    auto *tensor = new Tensor(rows, columns);
    for (size_t row = 0; row < rows; row++)
        std::copy_n(numbers + row * columns, columns, tensor->data() + row * tensor->stride());
    made.state->tensor = tensor;
    return made;
}

// --- Pipeline

Pipeline::Pipeline() { born(this, "Pipeline"); }
Pipeline::~Pipeline() { ended(this, "Pipeline"); }

void Pipeline::add(const std::string &name, Pass pass) {
    passes.emplace_back(name, std::make_shared<Pass>(std::move(pass)));
}

void Pipeline::run(Module &module) {
    module.context();
    for (const auto &[name, pass] : passes) {
        auto done = std::make_shared<std::promise<void>>();
        std::future<void> result = done->get_future();
        std::thread([done, body = pass, &module]() mutable {
            std::exception_ptr thrown;
            try {
                (*body)(module);
            } catch (...) {
                thrown = std::current_exception();
            }
            body.reset();  // before run() returns: the pipeline alone owns its passes
            if (thrown)
                done->set_exception(std::move(thrown));
            else
                done->set_value();
        }).detach();
        // MLIR would wait for ever
        if (result.wait_for(std::chrono::seconds(5)) == std::future_status::timeout)
            throw std::runtime_error("pass '" + name + "' got nowhere in 5 s. It runs in a thread of its own, and run() waits for it: "
                                     "is the interpreter's lock (GIL) held meanwhile?");
        result.get();
    }
}

}  // namespace toy

// For the checks: how many objects of a kind live, and how many were ended twice.
extern "C" __attribute__((visibility("default"))) long toy_living(const char *kind) {
    std::lock_guard lock(toy::guard);
    return std::count_if(toy::living.begin(), toy::living.end(), [&](const auto &entry) { return entry.second == kind; });
}

extern "C" __attribute__((visibility("default"))) long toy_ended_twice(const char *kind) {
    std::lock_guard lock(toy::guard);
    return toy::ended_twice[kind];
}
