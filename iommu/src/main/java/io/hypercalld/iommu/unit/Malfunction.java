package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Invalidation;
import java.util.Locale;
import java.util.Optional;

/**
 * Something that goes wrong with invalidation commands, or with marks in tables, on purpose and at
 * a chosen moment. One may strike several units, which then count together. Confined to the machine
 * thread.
 */
public final class Malfunction implements Digestible {
  /** What becomes of a command. */
  public enum Effect {
    /**
     * It is not carried out until software rings again: a queue stands still before the command, a
     * command register stays busy. A device that is to forget translations never answers.
     */
    INVALIDATION_TIMEOUT,

    /** The queue stops as if the command could not be fetched; a register refuses it. */
    QUEUE_ERROR,

    /** It is reported as done and has changed nothing. */
    DROP_INVALIDATION,

    /** A device answers with what is no completion; other commands are carried out. */
    MALFORMED_COMPLETION;

    /** As rules spell it: {@code invalidation-timeout}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Which commands. */
  public enum Command {
    CONTEXT,
    IOTLB,
    PASID_CACHE,
    PASID_IOTLB,
    IEC,
    DEV_IOTLB,
    PAGE_RESPONSE,
    WAIT,

    /**
     * No command: an entry of a table is to be marked accessed or dirty, and whatever strikes,
     * memory does not take it.
     */
    MARK;

    /** As rules spell it: {@code pasid-iotlb}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static Optional<Command> of(Invalidation command) {
      return switch (command) {
        case Invalidation.OfContexts _ -> Optional.of(CONTEXT);
        case Invalidation.OfTranslations _ -> Optional.of(IOTLB);
        case Invalidation.OfPasids _ -> Optional.of(PASID_CACHE);
        case Invalidation.OfPasidTranslations _ -> Optional.of(PASID_IOTLB);
        case Invalidation.OfInterrupts _ -> Optional.of(IEC);
        case Invalidation.DeviceTranslations _ -> Optional.of(DEV_IOTLB);
        case Invalidation.PageGroupResponse _ -> Optional.of(PAGE_RESPONSE);
        case Invalidation.Wait _ -> Optional.of(WAIT);
        case Invalidation.Malformed _ -> Optional.empty();
      };
    }
  }

  /**
   * The commands that it strikes: all that agree with what is given.
   *
   * @param requester whose entry the command is about
   */
  public record Target(Optional<Command> command, Optional<SourceId> requester) {
    private boolean isMark() {
      return command.equals(Optional.of(Command.MARK));
    }

    boolean matches(Invalidation invalidation) {
      return (command.isEmpty() || command.equals(Command.of(invalidation)))
          && (requester.isEmpty() || requester.equals(requesterOf(invalidation)));
    }

    private static Optional<SourceId> requesterOf(Invalidation invalidation) {
      return switch (invalidation) {
        case Invalidation.DeviceContexts contexts -> Optional.of(contexts.requester());
        case Invalidation.DeviceTranslations translations -> Optional.of(translations.device());
        case Invalidation.PageGroupResponse response -> Optional.of(response.device());
        default -> Optional.empty();
      };
    }
  }

  private final Target target;
  private final long skip;
  private final long times;
  private final Effect effect;
  private long seen;
  private long hits;

  /**
   * @param skip how many matching commands it lets pass first
   * @param times how many it strikes then
   */
  public Malfunction(Target target, long skip, long times, Effect effect) {
    this.target = target;
    this.skip = skip;
    this.times = times;
    this.effect = effect;
  }

  /** How many commands it has struck. */
  public long hits() {
    return hits;
  }

  /** Counts a command, and says what becomes of it; empty where nothing happens to it. */
  Optional<Effect> strike(Invalidation command) {
    return hits < times && target.matches(command) && strikeNext()
        ? Optional.of(effect)
        : Optional.empty();
  }

  private boolean strikeNext() {
    seen++;
    if (seen <= skip) {
      return false;
    }
    hits++;
    return true;
  }

  /** Counts a mark, and says whether memory refuses it. */
  boolean strikeMark() {
    return hits < times && target.isMark() && strikeNext();
  }

  /** Whether memory would refuse the next mark; counts nothing. */
  boolean wouldStrikeMark() {
    return hits < times && target.isMark() && seen >= skip;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(target.toString()).put(skip).put(times).put(effect.name()).put(seen).put(hits);
  }
}
