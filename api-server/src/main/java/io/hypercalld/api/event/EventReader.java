package io.hypercalld.api.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.hypercalld.api.json.Shapes;
import java.io.ByteArrayOutputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Somebody's place in a stream of events. Asked by one thread at a time.
 *
 * <p>Who resumes after an event that is not kept any more, or is of another daemon, is told so
 * first and goes on with what happens from then on. Who reads too slowly is told and cut.
 */
public final class EventReader implements Feed {
  private static final byte[] RETRY = "retry: 2000\n\n".getBytes(UTF_8);
  private static final byte[] PING = ": ping\n\n".getBytes(UTF_8);
  private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(15);
  private static final int PIECE_BYTES = 1 << 14;

  private final EventStream stream;
  private final EventFilter filter;
  private final Format format;
  private final boolean resumesTooLate;
  private boolean begun;
  private boolean ended;
  private long last;
  private long spoke;

  /** How events are written one after the other. */
  public enum Format {
    SSE("text/event-stream"),
    NDJSON("application/x-ndjson");

    private final String mediaType;

    Format(String mediaType) {
      this.mediaType = mediaType;
    }

    public String mediaType() {
      return mediaType;
    }

    private byte[] write(Event event) {
      return this == SSE ? event.frame() : line(event.json());
    }

    private byte[] write(Optional<Long> id, String type, Map<String, Object> data) {
      if (this == SSE) {
        return Event.frame(id, type, Shapes.RESOURCES.encode(data));
      }
      Map<String, Object> envelope = new LinkedHashMap<>();
      id.ifPresent(number -> envelope.put("id", Long.toString(number)));
      envelope.put("type", type);
      envelope.put("data", data);
      return line(Shapes.RESOURCES.encode(envelope));
    }

    private static byte[] line(byte[] json) {
      byte[] line = java.util.Arrays.copyOf(json, json.length + 1);
      line[json.length] = '\n';
      return line;
    }
  }

  EventReader(EventStream stream, EventFilter filter, Format format, Optional<Long> after) {
    this.stream = stream;
    this.spoke = stream.nanos();
    this.filter = filter;
    this.format = format;
    this.resumesTooLate =
        after.filter(id -> id < stream.oldest() - 1 || id > stream.newest()).isPresent();
    this.last = resumesTooLate ? stream.newest() : after.orElse(stream.newest());
  }

  EventFilter filter() {
    return filter;
  }

  @Override
  public String mediaType() {
    return format.mediaType;
  }

  @Override
  public Piece next() {
    if (ended) {
      return Piece.NOTHING;
    }
    if (!begun) {
      begun = true;
      return spoken(beginning());
    }
    boolean closing = stream.isClosed();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (last < stream.newest() && bytes.size() < PIECE_BYTES) {
      Optional<Event> event = stream.find(last + 1);
      if (event.isEmpty() && last < stream.forgotten()) {
        last = stream.forgotten();
      } else if (event.isEmpty()) {
        return overtaken(bytes);
      } else {
        last++;
      }
      event.filter(filter::accepts).ifPresent(wanted -> bytes.writeBytes(format.write(wanted)));
    }
    if (closing && last == stream.newest()) {
      bytes.writeBytes(format.write(Optional.empty(), "stream.bye", Map.of()));
      return end(bytes);
    }
    return bytes.size() > 0 ? spoken(bytes) : ping();
  }

  private ByteArrayOutputStream beginning() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    if (format == Format.SSE) {
      bytes.writeBytes(RETRY);
    }
    if (resumesTooLate) {
      bytes.writeBytes(resync());
    }
    return bytes;
  }

  private Piece overtaken(ByteArrayOutputStream bytes) {
    bytes.writeBytes(
        format.write(
            Optional.empty(),
            "stream.overflow",
            Map.of("last", Long.toString(last), "oldest", Long.toString(stream.oldest()))));
    stream.countDropped("overflow");
    return end(bytes);
  }

  private byte[] resync() {
    Map<String, Object> data = new LinkedHashMap<>();
    data.put("oldest", Long.toString(stream.oldest()));
    data.put("newest", Long.toString(stream.newest()));
    data.put("revision", Long.toString(stream.revision()));
    data.put("bootId", Long.toString(stream.boot()));
    return format.write(Optional.of(last), "stream.resync", data);
  }

  private Piece ping() {
    if (format == Format.NDJSON || stream.nanos() - spoke < PING_NANOS) {
      return Piece.NOTHING;
    }
    spoke = stream.nanos();
    return Piece.of(PING);
  }

  private Piece spoken(ByteArrayOutputStream bytes) {
    spoke = stream.nanos();
    return Piece.of(bytes.toByteArray());
  }

  private Piece end(ByteArrayOutputStream bytes) {
    ended = true;
    return Piece.last(bytes.toByteArray());
  }

  /** Overtaken: it is to be told and cut, even where it does not take what was sent. */
  @Override
  public boolean isUrgent() {
    return stream.isClosed() || (last < stream.oldest() - 1 && last >= stream.forgotten());
  }

  @Override
  public void close() {
    stream.leave(this);
  }
}
