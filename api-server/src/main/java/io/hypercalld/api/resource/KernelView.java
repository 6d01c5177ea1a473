package io.hypercalld.api.resource;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.DomainDma;
import io.hypercalld.core.dma.SoftwareIotlb;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.kernel.CoherentBuffer;
import io.hypercalld.core.kernel.GuestKernel;
import io.hypercalld.core.kernel.KernelPages;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Optional;

/**
 * A domain's kernel as people see it.
 *
 * @param mode in which it was booted; that of the domain where none has been
 * @param alive whether it runs: not before it is booted, nor after it has panicked
 * @param log its last words, oldest first
 */
record KernelView(
    DmaMode mode,
    boolean alive,
    Optional<PagesView> pages,
    Optional<PoolView> swiotlb,
    List<CoherentView> coherent,
    List<String> log) {
  /** Pages that it keeps for itself and its drivers. */
  record PagesView(Gfn first, int count, int used) {
    static PagesView of(KernelPages pages) {
      return new PagesView(pages.first(), pages.count(), pages.used());
    }
  }

  /**
   * Bounce buffers.
   *
   * @param busEnd behind the last bus address of them
   * @param highWater most slabs that were in use at once
   * @param overflowUsers buffers that share the overflow buffer
   */
  record PoolView(
      Word gpa,
      Word busEnd,
      int slabs,
      int used,
      int highWater,
      long bounces,
      long bytesToDevice,
      long bytesFromDevice,
      long overflows,
      int overflowUsers) {
    static PoolView of(SoftwareIotlb pool) {
      return new PoolView(
          pool.pool().gpa(),
          new Word(pool.pool().end()),
          pool.slabCount(),
          pool.slabsUsed(),
          pool.highWater(),
          pool.counters().bounces(),
          pool.counters().bytesToDevice(),
          pool.counters().bytesFromDevice(),
          pool.counters().overflows(),
          pool.overflowUsers());
    }
  }

  /** Memory that a driver shares with a device. */
  record CoherentView(String device, Gfn gfn, int order, Word bus) {
    static CoherentView of(CoherentBuffer buffer) {
      return new CoherentView(
          buffer.device().name(), buffer.gfn(), buffer.order(), new Word(buffer.bus()));
    }
  }

  static KernelView of(Domain domain) {
    return domain
        .facet(GuestKernel.class)
        .running()
        .map(KernelView::of)
        .orElseGet(
            () ->
                new KernelView(
                    domain.facet(DomainDma.class).mode(),
                    false,
                    Optional.empty(),
                    Optional.empty(),
                    List.of(),
                    List.of()));
  }

  private static KernelView of(RunningKernel kernel) {
    return new KernelView(
        kernel.mode(),
        kernel.isAlive(),
        Optional.of(PagesView.of(kernel.pages())),
        kernel.bounces().map(PoolView::of),
        kernel.coherentBuffers().stream().map(CoherentView::of).toList(),
        kernel.log().lines());
  }
}
