package io.hypercalld.core.dma;

import io.hypercalld.core.p2m.DmaPermission;
import java.util.function.LongUnaryOperator;

/** What kernels do that tell their devices machine addresses. */
public final class AddressModes {
  private AddressModes() {}

  /** Reads the P2M that is exposed to the domain; finds nothing where none is. */
  public static AddressMode readingP2m(DomainDma dma) {
    return new ReadingP2m(dma);
  }

  /** Does nothing: guest frames are machine frames. */
  public static AddressMode identity() {
    return new Identity();
  }

  /**
   * Asks the hypervisor for each page.
   *
   * @param phystomach makes the hypercall: the machine frame of a guest frame, or {@code
   *     INVALID_MFN}, all ones
   */
  public static AddressMode asking(LongUnaryOperator phystomach) {
    return new Asking(phystomach);
  }

  private static final class ReadingP2m implements AddressMode {
    private final DomainDma dma;

    ReadingP2m(DomainDma dma) {
      this.dma = dma;
    }

    @Override
    public DmaMode mode() {
      return DmaMode.P2M;
    }

    @Override
    public long map(long gfn, DmaPermission permission) {
      return dma.exposedFrame(gfn, permission);
    }

    @Override
    public void unmap(long busFrame) {}

    @Override
    public long hypercalls() {
      return 0;
    }
  }

  private static final class Identity implements AddressMode {
    @Override
    public DmaMode mode() {
      return DmaMode.IDENTITY;
    }

    @Override
    public long map(long gfn, DmaPermission permission) {
      return gfn;
    }

    @Override
    public void unmap(long busFrame) {}

    @Override
    public long hypercalls() {
      return 0;
    }
  }

  private static final class Asking implements AddressMode {
    private final LongUnaryOperator phystomach;
    private long hypercalls;

    Asking(LongUnaryOperator phystomach) {
      this.phystomach = phystomach;
    }

    @Override
    public DmaMode mode() {
      return DmaMode.VP;
    }

    @Override
    public long map(long gfn, DmaPermission permission) {
      hypercalls++;
      return phystomach.applyAsLong(gfn);
    }

    @Override
    public void unmap(long busFrame) {}

    @Override
    public long hypercalls() {
      return hypercalls;
    }
  }
}
