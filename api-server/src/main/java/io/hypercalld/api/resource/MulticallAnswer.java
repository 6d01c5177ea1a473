package io.hypercalld.api.resource;

import com.fasterxml.jackson.core.SerializableString;
import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.json.Shapes;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.hypercall.Outcome;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What came of the hypercalls of a batch, in order, as it is written. Many in a row are alike: what
 * is said again is not spelled again.
 */
record MulticallAnswer(List<Outcome> outcomes) implements Consumer<JsonWriter> {
  /** The answer as it is described. */
  record Results(List<Object> results) {}

  /** A hypercall of a batch that was refused. */
  record RefusedResult(int ret, String errno, String detail) {}

  /** A hypercall of a batch that was refused and returns something all the same. */
  record RefusedReturningResult(int ret, String errno, String detail, Object out) {}

  @Override
  public void accept(JsonWriter out) {
    out.beginObject().name("results").beginArray();
    @Nullable Outcome last = null;
    @Nullable SerializableString spelled = null;
    for (Outcome outcome : outcomes) {
      if (!outcome.equals(last)) {
        write(outcome, out);
        last = outcome;
        spelled = null;
        continue;
      }
      if (spelled == null) {
        spelled = JsonWriter.spell(again -> write(outcome, again));
      }
      out.spelled(spelled);
    }
    out.endArray().endObject();
  }

  private static void write(Outcome outcome, JsonWriter out) {
    Shapes.HYPERCALLS.any().write(view(outcome), out);
  }

  private static Object view(Outcome outcome) {
    return switch (outcome) {
      case Outcome.Success(long ret, Object out) -> new HypercallRoutes.Result(ret, out);
      case Outcome.Refused(Errno errno, String detail, Object out) ->
          Map.of().equals(out)
              ? new RefusedResult(-errno.number(), errno.name(), detail)
              : new RefusedReturningResult(-errno.number(), errno.name(), detail, out);
      case Outcome.Preempted _ -> throw new IllegalStateException("a batch is not preempted");
    };
  }
}
