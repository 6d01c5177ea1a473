package io.hypercalld.api.experiment;

import io.hypercalld.api.experiment.SyncHookAnswer.Change;
import io.hypercalld.api.experiment.SyncHookAnswer.Effect;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.p2m.SyncHook;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Takes each synchronisation hook away in turn and lets a device look at what changes. Confined to
 * the thread that runs it.
 *
 * @see "documents/000, spec/documents.md S0-Q3"
 */
public final class SyncHookExperiment {
  private SyncHookExperiment() {}

  /**
   * Tries everything.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static SyncHookAnswer run(SyncHookQuestion question) {
    return new SyncHookAnswer(
        Stream.concat(
                Stream.of(Optional.<SyncHook>empty()), question.hooks().stream().map(Optional::of))
            .map(off -> new SyncHookAnswer.Trial(off, trial(off)))
            .toList());
  }

  private static List<Effect> trial(Optional<SyncHook> off) {
    return Stream.of(Change.values()).map(change -> effect(off, change)).toList();
  }

  /** Each change is the first that a device of its own may miss. */
  private static Effect effect(Optional<SyncHook> off, Change change) {
    // The frames of a translated guest cannot be exchanged.
    DomainType type = change == Change.EXCHANGE ? DomainType.PV : DomainType.PVH;
    try (HookBench bench = new HookBench(type)) {
      change.first().ifPresent(bench::make);
      off.ifPresent(bench::lose);
      bench.make(change);
      return bench.look(change);
    }
  }
}
