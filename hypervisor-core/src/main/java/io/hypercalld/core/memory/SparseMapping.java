package io.hypercalld.core.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Address space that costs host memory only where it is touched, and gives it back. Thread-safe.
 *
 * <p>The JDK's own allocators zero what they hand out, which commits it; so the two system calls
 * that do better are made here and nowhere else.
 */
final class SparseMapping {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
  private static final int MADV_DONTNEED = 4;

  private static final MethodHandle MMAP =
      libc(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle MUNMAP =
      libc(
          "munmap",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
  private static final MethodHandle MADVISE =
      libc(
          "madvise",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));

  private SparseMapping() {}

  /**
   * Reserves {@code bytes} of zeros, unmapped when the arena closes.
   *
   * @throws OutOfMemoryError where the host refuses the address space
   */
  @SuppressWarnings("restricted")
  static MemorySegment reserve(long bytes, Arena arena) {
    try {
      MemorySegment base =
          (MemorySegment)
              MMAP.invokeExact(
                  MemorySegment.NULL,
                  bytes,
                  PROT_READ_WRITE,
                  MAP_PRIVATE_ANONYMOUS_NORESERVE,
                  -1,
                  0L);
      if (base.address() == -1L) {
        throw new OutOfMemoryError("the host refuses " + bytes + " bytes of address space");
      }
      return base.reinterpret(bytes, arena, SparseMapping::release);
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("mmap", e);
    }
  }

  /** Makes the page-aligned range read as zeros again and returns its memory to the host. */
  static void discard(MemorySegment range) {
    try {
      int result = (int) MADVISE.invokeExact(range, range.byteSize(), MADV_DONTNEED);
      if (result != 0) {
        range.fill((byte) 0);
      }
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("madvise", e);
    }
  }

  private static void release(MemorySegment mapping) {
    try {
      int result = (int) MUNMAP.invokeExact(mapping, mapping.byteSize());
      if (result != 0) {
        throw new IllegalStateException("munmap of a mapping of ours was refused");
      }
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("munmap", e);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle libc(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    MemorySegment symbol =
        linker
            .defaultLookup()
            .find(name)
            .orElseThrow(() -> new IllegalStateException("the C library has no " + name));
    return linker.downcallHandle(symbol, descriptor);
  }
}
