package io.hypercalld.core.dma;

import io.hypercalld.core.p2m.DmaPermission;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

  /** Asks the hypervisor for each page. */
  public static AddressMode asking(PhysToMachCalls calls) {
    return new Asking(calls);
  }

  /** The machine frame of a guest frame, or {@code INVALID_MFN}, all ones, by hypercalls. */
  public interface PhysToMachCalls {
    /** By one. */
    long ask(long gfn);

    /** By one each, made at once, in the order of the guest frames. */
    List<Long> askAll(List<Long> gfns);

    /** Whether the kernel asks for many pages at once where it knows them. */
    boolean batch();
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
  }

  private static final class Asking implements AddressMode {
    private final Map<Long, Long> answers = new HashMap<>();
    private final PhysToMachCalls calls;

    Asking(PhysToMachCalls calls) {
      this.calls = calls;
    }

    @Override
    public DmaMode mode() {
      return DmaMode.VP;
    }

    /** An answer is not kept for longer than the list is being mapped: frames change. */
    @Override
    public void expect(List<Long> gfns) {
      answers.clear();
      if (calls.batch() && !gfns.isEmpty()) {
        List<Long> frames = calls.askAll(gfns);
        for (int i = 0; i < frames.size(); i++) {
          answers.put(gfns.get(i), frames.get(i));
        }
      }
    }

    @Override
    public long map(long gfn, DmaPermission permission) {
      Long known = answers.get(gfn);
      return known == null ? calls.ask(gfn) : known;
    }
  }
}
