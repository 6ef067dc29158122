// `kernel<<<grid, block, shared, stream>>>(arguments)` is rewritten to
// `mlsys::Launcher("kernel", address, [=](auto &...a) { kernel(a...); }).configure(grid, block, shared, stream)(arguments)`.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "site.h"
#include "vectors.h"

struct CUstream_st;
using cudaStream_t = CUstream_st *;

namespace mlsys {

// A call that is ready to be made by each thread. It lives in memory of its own, which kernels may read: their parameters.
struct Call {
    void (*run)(void *self);
    void (*destroy)(void *self);
    void *self;
};

struct Request {
    const char *name;
    const void *address;  // of the kernel, where it is known
    dim3 grid, block;
    size_t shared;
    cudaStream_t stream;
    Site at;
    const void *const *pointers;  // the arguments that are pointers, null for others
    unsigned arguments;
};


}  // namespace mlsys

extern "C" {
void *mlsys_parameters(size_t size);
void mlsys_parameters_free(void *);
void mlsys_launch(const mlsys::Request *request, const mlsys::Call *call);
}

namespace mlsys {

template <class T> inline const void *pointer(const T &value)
{
    if constexpr (std::is_pointer<T>::value && !std::is_function<std::remove_pointer_t<T>>::value)
        return const_cast<const void *>(static_cast<const volatile void *>(value));
    else
        return nullptr;
}

template <class F, class Indices, class... A> struct Bound;

template <class F, size_t... I, class... A> struct Bound<F, std::index_sequence<I...>, A...> {
    template <size_t N, class T> struct Held {
        T value;
    };
    struct All : Held<I, A>... {
    };

    F function;
    All all;

    template <size_t N, class T> static T &get(Held<N, T> &held) { return held.value; }
    static void run(void *self)
    {
        Bound *bound = static_cast<Bound *>(self);
        bound->function(get<I>(bound->all)...);
    }
    static void destroy(void *self)
    {
        static_cast<Bound *>(self)->~Bound();
        mlsys_parameters_free(self);
    }
};

template <class F> class Launcher {
  public:
    Launcher(const char *name, const void *address, F function, Site at = here())
        : request{name, address, {}, {}, 0, nullptr, at, nullptr, 0}, function(function)
    {
    }

    Launcher &configure(dim3 grid, dim3 block, size_t shared = 0, cudaStream_t stream = nullptr)
    {
        request.grid = grid, request.block = block, request.shared = shared, request.stream = stream;
        return *this;
    }

    template <class... A> void operator()(A... arguments)
    {
        using Mine = Bound<F, std::index_sequence_for<A...>, A...>;
        const void *pointers[sizeof...(A) + 1] = {pointer(arguments)...};
        request.pointers = pointers, request.arguments = sizeof...(A);
        Mine *bound = new (mlsys_parameters(sizeof(Mine))) Mine{function, {{std::move(arguments)}...}};
        Call call{&Mine::run, &Mine::destroy, bound};
        mlsys_launch(&request, &call);
    }

  private:
    Request request;
    F function;
};

// Kernels are told apart by their addresses where a program gives them attributes.
template <class R, class... P> inline const void *address(R (*kernel)(P...))
{
    return reinterpret_cast<const void *>(kernel);
}
inline const void *address(const void *kernel) { return kernel; }

}  // namespace mlsys
