package io.hypercalld.api.experiment;

import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.core.p2m.SyncHook;
import java.util.List;

/**
 * What becomes of devices where one kind of change is kept from their tables. Immutable.
 *
 * @param hooks those of which each is taken away in turn; with none only the whole is tried
 */
public record SyncHookQuestion(
    @OrElse(
            "[\"physmap-add\",\"zap\",\"foreign-map\",\"grant-map\",\"exchange\",\"balloon\","
                + "\"page-in-out\"]")
        List<SyncHook> hooks) {
  public SyncHookQuestion {
    hooks = List.copyOf(hooks);
  }
}
