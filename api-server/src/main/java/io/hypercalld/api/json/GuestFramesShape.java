package io.hypercalld.api.json;

import com.fasterxml.jackson.core.JsonToken;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.p2m.Gfn;
import java.util.List;
import java.util.Map;

/**
 * A guest's array of frame numbers: a JSON array, or {@code {"first":"0x0","count":4096}} for
 * consecutive ones, which stays two numbers. Immutable.
 */
record GuestFramesShape(Shape<List<Gfn>> array, Shape<Run> run) implements Shape<GuestFrames> {
  /** Consecutive frames, as they are written. Immutable. */
  record Run(Gfn first, Word count) {}

  @Override
  public GuestFrames read(JsonReader in) {
    if (in.token() != JsonToken.START_OBJECT) {
      return new GuestFrames.Listed(array.read(in));
    }
    Run frames = run.read(in);
    return GuestFrames.consecutive(frames.first, frames.count.value());
  }

  @Override
  public void write(GuestFrames value, JsonWriter out) {
    switch (value) {
      case GuestFrames.Listed(List<Gfn> frames) -> array.write(frames, out);
      case GuestFrames.Consecutive(Gfn first, long count) ->
          run.write(new Run(first, new Word(count)), out);
    }
  }

  @Override
  public Map<String, Object> schema() {
    return Map.of("oneOf", List.of(array.schema(), run.schema()));
  }
}
