#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// A compiler's IR in little, with the ownership that MLIR's has. It knows nothing of Python.
//
//   Context  <---- refers to ----  Module  ---- owns --->  Operation  ---- owns --->  Tensor
//
// Who uses an object after its end, or ends it twice, is told so by a std::logic_error: no memory is used again.
namespace toy {

// The base of all classes: `delete` ends an object and keeps its memory.
struct Tracked {
    static void *operator new(std::size_t size) { return ::operator new(size); }
    static void *operator new(std::size_t, void *place) { return place; }
    static void operator delete(void *) {}
};

// The text is wrong; what() begins with the line: "line 3: …".
struct ParseError : std::runtime_error {
    ParseError(int line, const std::string &what);
    int line;
};

// What all modules share. It must live longer than they.
class Context : public Tracked {
public:
    Context();
    ~Context();
    Context(const Context &) = delete;
};

// Numbers in rows. A row begins `stride()` numbers after the one before it, and stride() may be more than columns().
class Tensor : public Tracked {
public:
    Tensor(size_t rows, size_t columns);
    Tensor(const Tensor &);
    ~Tensor();
    size_t rows() const;
    size_t columns() const;
    size_t stride() const;
    float *data();

private:
    struct State;
    State *state;
};

class Module;

class Operation : public Tracked {
public:
    Operation(Module *module, std::string name);
    Operation(const Operation &);  // an operation of the same name, with a tensor of its own
    ~Operation();
    const std::string &name() const;
    void set_name(const std::string &name);  // throws std::invalid_argument for an empty one
    Module &module() const;
    Tensor *tensor();  // of a constant; nullptr for any other operation

private:
    friend class Builder;
    struct State;
    State *state;
};

class Module : public Tracked {
public:
    explicit Module(Context &context);
    ~Module();
    Module(const Module &) = delete;
    Context &context() const;
    size_t size() const;
    Operation &at(size_t index);  // throws std::out_of_range
    std::string print() const;

private:
    friend class Builder;
    struct State;
    State *state;
};

// A module of one operation a line. Throws ParseError.
std::unique_ptr<Module> parse(const std::string &text, Context &context);

// Appends to a module, which must live longer than the builder.
class Builder {
public:
    explicit Builder(Module &module);
    Operation &create(const std::string &name);
    Operation &constant(const float *numbers, size_t rows, size_t columns);  // copies the numbers, row after row

private:
    Module *module;
};

// Runs functions over a module, one after the other, each in a thread of its own; run() waits for them.
// What a function throws is thrown by run().
class Pipeline : public Tracked {
public:
    using Pass = std::function<void(Module &)>;
    Pipeline();
    ~Pipeline();
    Pipeline(const Pipeline &) = delete;
    void add(const std::string &name, Pass pass);
    void run(Module &module);

private:
    std::vector<std::pair<std::string, std::shared_ptr<Pass>>> passes;
};

}  // namespace toy
