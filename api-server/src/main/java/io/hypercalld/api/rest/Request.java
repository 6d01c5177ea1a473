package io.hypercalld.api.rest;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.JsonReader;
import io.hypercalld.api.json.Shape;
import io.hypercalld.api.json.Shapes;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a caller sent, as far as HTTP goes. Immutable.
 *
 * @param path decoded, without the query
 * @param query every value of every parameter
 * @param header looks up the first value of a header
 * @param body never changed
 * @param machine whom it is about, once that is known
 * @param grant what its sender may do
 * @param id names it in logs and events; empty before it has one
 */
public record Request(
    String method,
    String path,
    Map<String, List<String>> query,
    Function<String, Optional<String>> header,
    Body body,
    Map<String, String> places,
    Optional<HostedMachine> machine,
    Grant grant,
    String id) {
  private static final byte[] EMPTY_OBJECT = "{}".getBytes(StandardCharsets.UTF_8);

  /** A body's bytes. */
  public static final class Body {
    private final byte[] bytes;
    private final Optional<InputStream> file;

    public Body(byte[] bytes) {
      this(bytes, Optional.empty());
    }

    private Body(byte[] bytes, Optional<InputStream> file) {
      this.bytes = bytes;
      this.file = file;
    }

    /** A body that is read while it comes, once. */
    public static Body of(InputStream file) {
      return new Body(new byte[0], Optional.of(file));
    }

    boolean isFile() {
      return file.isPresent();
    }

    boolean isEmpty() {
      return bytes.length == 0;
    }

    byte[] bytes() {
      return bytes;
    }

    /** How many bytes there are; of a file none is kept. */
    int length() {
      return bytes.length;
    }

    /** The bytes one after the other. */
    public InputStream stream() {
      return file.orElseGet(() -> new ByteArrayInputStream(bytes));
    }
  }

  /** A request that no route has been found for yet. */
  public static Request of(
      String method,
      String path,
      Map<String, List<String>> query,
      Function<String, Optional<String>> header,
      Body body) {
    return new Request(
        method, path, query, header, body, Map.of(), Optional.empty(), Grant.EVERYTHING, "");
  }

  /** The same with a body. */
  public Request carrying(Body content) {
    return new Request(method, path, query, header, content, places, machine, grant, id);
  }

  Request at(Map<String, String> found) {
    return new Request(method, path, query, header, body, found, machine, grant, id);
  }

  Request to(Optional<HostedMachine> whom) {
    return new Request(method, path, query, header, body, places, whom, grant, id);
  }

  Request by(Grant granted) {
    return new Request(method, path, query, header, body, places, machine, granted, id);
  }

  Request named(String name) {
    return new Request(method, path, query, header, body, places, machine, grant, name);
  }

  /** The machine that it is about. */
  public HostedMachine hosted() {
    return machine.orElseThrow(() -> new IllegalStateException("no machine was found yet"));
  }

  /** The text at a place of the path. */
  public String place(String name) {
    return Optional.ofNullable(places.get(name))
        .orElseThrow(() -> new IllegalStateException("the path has no place " + name));
  }

  /**
   * The text of a query parameter.
   *
   * @throws Failure 400 where it appears twice
   */
  public Optional<String> parameter(String name) {
    List<String> values = query.getOrDefault(name, List.of());
    if (values.size() > 1) {
      throw Failure.of(Problems.INVALID_PARAMETER, "the parameter %s appears twice", name);
    }
    return values.stream().findFirst();
  }

  /**
   * The value of a query parameter that is a switch.
   *
   * @throws Failure 400 where it is neither true nor false
   */
  public boolean flag(String name) {
    return parameter(name)
        .map(
            text ->
                switch (text) {
                  case "true", "" -> true;
                  case "false" -> false;
                  default ->
                      throw Failure.of(
                          Problems.INVALID_PARAMETER, "%s is true or false, not %s", name, text);
                })
        .orElse(false);
  }

  /**
   * The body; an empty one counts as an object without members.
   *
   * @throws InvalidBody where it is anything but what the type looks like
   */
  public <T> T read(Class<T> type) {
    return read(Shapes.RESOURCES.of(type));
  }

  /** As {@link #read(Class)}, for a shape of one's own. */
  public <T> T read(Shape<T> shape) {
    return JsonReader.readAll(body.isEmpty() ? EMPTY_OBJECT : body.bytes, shape);
  }
}
