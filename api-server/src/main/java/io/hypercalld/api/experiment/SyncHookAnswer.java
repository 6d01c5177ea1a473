package io.hypercalld.api.experiment;

import io.hypercalld.core.p2m.SyncHook;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What each change did to devices, with every hook and without each of them. Immutable. */
public record SyncHookAnswer(List<Trial> trials) implements Findings {
  /** A change of a guest's memory. */
  public enum Change {
    POPULATE,
    REMOVE,
    SWAP,
    BALLOON,
    FOREIGN_MAP,
    FOREIGN_UNMAP,
    GRANT_MAP,
    GRANT_UNMAP,
    EXCHANGE,
    PAGE_OUT,
    PAGE_IN;

    /** The change that must have been made, and been seen, before this one can be. */
    Optional<Change> first() {
      return switch (this) {
        case FOREIGN_UNMAP -> Optional.of(FOREIGN_MAP);
        case GRANT_UNMAP -> Optional.of(GRANT_MAP);
        case PAGE_IN -> Optional.of(PAGE_OUT);
        case POPULATE, REMOVE, SWAP, BALLOON, FOREIGN_MAP, GRANT_MAP, EXCHANGE, PAGE_OUT ->
            Optional.empty();
      };
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * All changes, each on a machine of its own.
   *
   * @param without the hook that is off; empty where all are on
   */
  public record Trial(Optional<SyncHook> without, List<Effect> effects) {}

  /**
   * What a device met once the change was made.
   *
   * @param stale pages where it reaches a frame that is not the guest's there
   * @param faulting pages that the processor has and it has not
   * @param violations the oracles that say so
   */
  public record Effect(Change change, long stale, long faulting, List<String> violations) {}

  @Override
  public String toText() {
    TextTable table = new TextTable("without", "change", "stale", "faulting", "oracles");
    for (Trial trial : trials) {
      for (Effect effect : trial.effects) {
        table.add(
            trial.without.map(SyncHook::toString).orElse("none"),
            effect.change,
            effect.stale,
            effect.faulting,
            String.join(" ", effect.violations));
      }
    }
    return table.toString();
  }
}
