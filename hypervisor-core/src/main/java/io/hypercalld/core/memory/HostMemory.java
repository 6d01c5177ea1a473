package io.hypercalld.core.memory;

import io.hypercalld.core.copy.Copies;
import io.hypercalld.core.copy.SelfCopying;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The host's memory that one machine costs, given back at once. */
final class HostMemory implements SelfCopying<HostMemory>, AutoCloseable {
  private final Arena arena = Arena.ofShared();

  /**
   * Reserves {@code bytes} of zeros.
   *
   * @throws OutOfMemoryError where the host refuses the address space
   */
  MemorySegment reserve(long bytes) {
    return SparseMapping.reserve(bytes, arena);
  }

  /** Nothing reserved yet: who holds some reserves the same for its copy. */
  @Override
  public HostMemory copy(Copies copies) {
    return new HostMemory();
  }

  @Override
  public void close() {
    arena.close();
  }
}
