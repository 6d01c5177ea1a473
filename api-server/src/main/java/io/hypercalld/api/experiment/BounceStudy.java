package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.AddressModeAnswer.Bounced;
import io.hypercalld.api.machine.BootKernel;
import io.hypercalld.api.machine.BootOptions;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.platform.PlatformSource;
import io.hypercalld.core.dma.BounceCounters;
import io.hypercalld.core.dma.DmaDevice;
import io.hypercalld.core.dma.DmaDirection;
import io.hypercalld.core.dma.DmaMode;
import io.hypercalld.core.dma.SoftwareIotlb;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.core.kernel.ContiguousRegions;
import io.hypercalld.core.kernel.RunningKernel;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Maps buffers of growing size for devices that can send addresses of some length, in a dom0 whose
 * memory is above 4 GiB. Confined to the thread that runs the experiment.
 *
 * @see "spec/documents.md S3-Q4"
 */
final class BounceStudy {
  private static final List<Integer> MASKS = List.of(24, 30, 32, 64);
  private static final int SLABS = 1024;
  private static final int POOL_BITS = 32;
  private static final int BUFFERS = 16;
  private static final int SMALLEST = 512;
  private static final int LARGEST = 256 << 10;

  /** Buffers begin somewhere in the first page of a region of 512 KiB. */
  private static final Gfn FIRST = new Gfn(0x2000);

  private static final int REGION_ORDER = ContiguousRegions.MAX_ORDER;
  private static final int STEP = 64;

  private static final long MACHINE_BYTES = 6L << 30;

  private final Machine machine;
  private final DmaMode mode;
  private final long seed;

  private BounceStudy(Machine machine, DmaMode mode, long seed) {
    this.machine = machine;
    this.mode = mode;
    this.seed = seed;
  }

  /** All masks, with pages as they are and, where that differs, made contiguous. */
  static List<Bounced> of(DmaMode mode, long seed) {
    try (Machine machine =
        new Machine(
            PlatformSource.named("two-socket")
                .load()
                .platform()
                .withMemory(MACHINE_BYTES)
                .withDom0Mode(mode))) {
      BounceStudy study = new BounceStudy(machine, mode, seed);
      List<Bounced> rows = new ArrayList<>();
      for (int mask : MASKS) {
        rows.add(study.row(mask, mode == DmaMode.IDENTITY));
        if (mode == DmaMode.P2M || mode == DmaMode.VP) {
          rows.add(study.row(mask, true));
        }
      }
      return rows;
    }
  }

  private Bounced row(int mask, boolean contiguous) {
    int bits = Math.min(mask, POOL_BITS);
    RunningKernel kernel =
        machine.execute(
            new BootKernel(DomainId.DOM0, BootOptions.pool(Optional.of(SLABS), Optional.of(bits))));
    DmaDevice device = new DmaDevice(DriverBench.CARD.toString(), mask);
    kernel.probe(device);
    if (contiguous && mode != DmaMode.IDENTITY) {
      for (int i = 0; i < BUFFERS; i++) {
        kernel.regions().create(region(i), REGION_ORDER, ContiguousRegions.AddressBits.ANY);
      }
    }
    Optional<Integer> failure = Optional.empty();
    Optional<String> reason = Optional.empty();
    Random random = new Random(seed);
    for (int size = SMALLEST; size <= LARGEST && failure.isEmpty(); size *= 2) {
      reason = failureOf(kernel, device, buffers(random, size));
      failure = reason.isPresent() ? Optional.of(size) : Optional.empty();
    }
    return new Bounced(
        mode,
        mask,
        contiguous,
        kernel.bounces().map(SoftwareIotlb::counters).map(BounceCounters::bytesBounced).orElse(0L),
        kernel.bounces().map(SoftwareIotlb::highWater).orElse(0),
        failure,
        reason);
  }

  private static Gfn region(int index) {
    return FIRST.plus((long) index << (REGION_ORDER + 1));
  }

  private static List<RunningKernel.Buffer> buffers(Random random, int size) {
    List<RunningKernel.Buffer> buffers = new ArrayList<>();
    for (int i = 0; i < BUFFERS; i++) {
      int offset = random.nextInt(PageSize.BYTES_4K / STEP) * STEP;
      long gpa = (region(i).value() << PageSize.SHIFT_4K) + offset;
      buffers.add(new RunningKernel.Buffer(gpa, size));
    }
    return buffers;
  }

  /** Has all of them mapped at once, written by the device and unmapped again. */
  private static Optional<String> failureOf(
      RunningKernel kernel, DmaDevice device, List<RunningKernel.Buffer> buffers) {
    try {
      List<Long> mapped = kernel.map(device, buffers, DmaDirection.FROM_DEVICE);
      List<RunningKernel.Buffer> back = new ArrayList<>();
      for (int i = 0; i < buffers.size(); i++) {
        back.add(new RunningKernel.Buffer(mapped.get(i), buffers.get(i).length()));
      }
      kernel.unmap(device, back, DmaDirection.FROM_DEVICE);
      return Optional.empty();
    } catch (Refusal refusal) {
      return Optional.of(refusal.errno().name());
    }
  }
}
