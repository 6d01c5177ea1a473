package io.hypercalld.api.conformance;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.QueueMode;
import java.util.function.Consumer;

/**
 * How a queue leaves the specification: {@link #NONE} not at all, {@link Recorded} as the recorded
 * implementations do, which says so every time that it matters.
 */
interface Quirks {
  /** The specification. */
  Quirks NONE = new Quirks() {};

  /** Whether QIE may be cleared; {@code drained} says whether a wait was last and all is done. */
  default boolean disables(boolean drained) {
    return true;
  }

  /** Whether a command by register stays undone while the queue is on, rather than be refused. */
  default boolean leavesCommands() {
    return false;
  }

  /** What becomes of IQT when IQA is written while the queue is off. */
  default long tailAfterAddress(long tail) {
    return 0;
  }

  /** Whether the queue goes on as soon as IQE is cleared; {@code waiting} says whether it could. */
  default boolean fetchesAfterError(boolean waiting) {
    return true;
  }

  default boolean accepts(InvalidationDescriptor descriptor, QueueMode mode, boolean legal) {
    return legal;
  }

  /** Whether a wait may neither write nor interrupt. */
  default boolean acceptsIdleWait() {
    return true;
  }

  /**
   * The queue of the recorded implementations.
   *
   * @param newer whether it is the newer one of them
   * @param used takes each freedom that makes a difference
   */
  record Recorded(boolean newer, Consumer<Freedom> used) implements Quirks {
    private static final int DEVICE_TLB = 3;
    private static final int INTERRUPT_ENTRIES = 4;
    private static final int PASID_TRANSLATIONS = 6;
    private static final int PASID_CACHE = 7;
    private static final int PASID_DEVICE_TLB = 8;
    private static final long ECAP_DT = 1 << 2;

    private boolean use(Freedom freedom, boolean differs) {
      if (differs) {
        used.accept(freedom);
      }
      return !differs;
    }

    @Override
    public boolean disables(boolean drained) {
      return use(Freedom.DISABLE_REFUSED, !drained);
    }

    @Override
    public boolean leavesCommands() {
      return !use(Freedom.COMMAND_WHILE_QUEUED, true);
    }

    @Override
    public long tailAfterAddress(long tail) {
      use(Freedom.TAIL_KEPT, tail != 0);
      return tail;
    }

    @Override
    public boolean fetchesAfterError(boolean waiting) {
      use(Freedom.NO_FETCH_AFTER_ERROR, waiting);
      return false;
    }

    @Override
    public boolean acceptsIdleWait() {
      return use(Freedom.WAIT_WITHOUT_EFFECT, true);
    }

    @Override
    public boolean accepts(InvalidationDescriptor descriptor, QueueMode mode, boolean legal) {
      return legal
          || switch (InvalidationDescriptor.TYPE.getInt(descriptor.lo())) {
            case DEVICE_TLB -> !use(Freedom.DESCRIPTOR_NOT_CHECKED, isLegalWithDevices(descriptor));
            case INTERRUPT_ENTRIES, PASID_TRANSLATIONS, PASID_CACHE ->
                !use(Freedom.DESCRIPTOR_NOT_CHECKED, !newer);
            case PASID_DEVICE_TLB -> !use(Freedom.PASID_DEVICE_TLB, newer);
            default -> false;
          };
    }

    private static boolean isLegalWithDevices(InvalidationDescriptor descriptor) {
      // Its own check of reserved bits is that of a unit which has device-TLBs.
      return !(descriptor.decode(new Capabilities(0, ECAP_DT)) instanceof Invalidation.Malformed);
    }
  }
}
