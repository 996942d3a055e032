// scenario.mjs VERSION PORT TLS_PORT WS_PORT CA OTHER_CA: MQTT.js through QoS 0 to 2, large and retained messages, a
// will, a session, TLS, WebSocket, and in 5.0 properties, aliases, options and shared subscriptions. Says what it has
// done; ends with 1 at the first thing that is not as it should be. tests/integration/mqtt_js_test.py
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import mqtt from "mqtt";

const [versionText, port, tlsPort, wsPort, ca, otherCa] = process.argv.slice(2);
const version = Number(versionText);
const v5 = version === 5;
const WAIT_MS = 30000;

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, no) => setTimeout(() => no(new Error(`${what} did not come`)), WAIT_MS).unref()),
  ]);

// A client with a queue of what it receives.
class Client {
  static async begin(options = {}, url = `mqtt://127.0.0.1:${port}`) {
    const self = new Client();
    self.client = mqtt.connect(url, {
      protocolVersion: version,
      protocolId: version === 3 ? "MQIsdp" : "MQTT",
      reconnectPeriod: 0,
      connectTimeout: WAIT_MS,
      ...options,
    });
    self.messages = [];
    self.waiting = [];
    self.client.on("message", (topic, payload, packet) => {
      const next = self.waiting.shift();
      if (next) next(packet);
      else self.messages.push(packet);
    });
    self.connack = await within(
      new Promise((yes, no) => {
        self.client.once("connect", yes);
        self.client.once("error", no);
      }),
      "CONNACK",
    );
    self.client.on("error", () => {});
    return self;
  }

  take() {
    const packet = this.messages.shift();
    return packet ? Promise.resolve(packet) : within(new Promise((yes) => this.waiting.push(yes)), "a message");
  }

  publish(topic, payload, options) {
    return within(this.client.publishAsync(topic, payload, options), "an acknowledgement");
  }

  async subscribe(filter, options) {
    const granted = await within(this.client.subscribeAsync(filter, options), "SUBACK");
    assert.equal(granted[0].qos, options.qos);
  }

  // The connection ends without DISCONNECT.
  die() {
    this.client.stream.destroy();
    return this.client.endAsync(true);
  }

  end() {
    return within(this.client.endAsync(), "the end");
  }
}

async function eachQos(url, options) {
  const sub = await Client.begin(options, url);
  const pub = await Client.begin(options, url);
  await sub.subscribe("j/q/#", { qos: 2 });
  for (const qos of [0, 1, 2]) {
    const sent = Array.from({ length: 30 }, (_, i) => Buffer.from(Array.from({ length: 256 }, (_, k) => (k * i) & 255)));
    sent.push(Buffer.alloc(300000, qos + 1));
    await Promise.all(sent.map((payload) => pub.publish("j/q/t", payload, { qos })));
    for (const payload of sent) {
      const got = await sub.take();
      assert.equal(got.qos, qos);
      assert.ok(got.payload.equals(payload));
      assert.equal(got.retain, false);
    }
  }
  await sub.end();
  await pub.end();
}

async function retained() {
  const pub = await Client.begin();
  const sub = await Client.begin();
  await pub.publish("j/r/a", "kept", { qos: 1, retain: true });
  await pub.publish("j/r/b", "kept too", { qos: 2, retain: true });
  await pub.publish("j/r/a", "", { qos: 1, retain: true });
  await sub.subscribe("j/r/+", { qos: 1 });
  let got = await sub.take();
  assert.deepEqual([got.topic, got.payload.toString(), got.retain, got.qos], ["j/r/b", "kept too", true, 1]);
  await pub.publish("j/r/b", "live", { qos: 1, retain: true });
  got = await sub.take();
  assert.deepEqual([got.payload.toString(), got.retain], ["live", false]);
  await pub.publish("j/r/b", "", { retain: true, qos: 1 });
  await sub.end();
  await pub.end();
}

async function wills() {
  const watcher = await Client.begin();
  await watcher.subscribe("j/w", { qos: 2 });
  const will = (payload) => ({ will: { topic: "j/w", payload: Buffer.from(payload), qos: 2, retain: false } });
  await (await Client.begin(will("asked to end"))).end();
  await (await Client.begin(will("died"))).die();
  const got = await watcher.take();
  assert.deepEqual([got.payload.toString(), got.qos], ["died", 2]);
  await watcher.end();
}

async function sessions() {
  const keep = { clientId: `j-keeps-${version}`, clean: false };
  if (v5) keep.properties = { sessionExpiryInterval: 3600 };
  const first = await Client.begin(keep);
  if (version !== 3) assert.equal(first.connack.sessionPresent, false);
  await first.subscribe("j/s/+", { qos: 2 });
  await first.end();
  const pub = await Client.begin();
  for (let i = 0; i < 20; i++) await pub.publish(`j/s/${i % 2}`, `${i}`, { qos: 1 + (i % 2) });
  const again = await Client.begin(keep);
  if (version !== 3) assert.equal(again.connack.sessionPresent, true);
  const got = [[], []];
  for (let i = 0; i < 20; i++) {
    const m = await again.take();
    got[m.qos - 1].push(Number(m.payload.toString()));
  }
  assert.deepEqual(got, [0, 1].map((odd) => Array.from({ length: 10 }, (_, i) => 2 * i + odd)));
  await pub.publish("j/s/0", "last", { qos: 2 });
  assert.equal((await again.take()).payload.toString(), "last");
  await again.end();
  const fresh = await Client.begin({ ...keep, clean: true, properties: undefined });
  if (version !== 3) assert.equal(fresh.connack.sessionPresent, false);
  await fresh.end();
  await pub.end();
}

async function tls() {
  const url = `mqtts://localhost:${tlsPort}`;
  await eachQos(url, { ca: readFileSync(ca) });
  await assert.rejects(Client.begin({ ca: readFileSync(otherCa) }, url), /certificate/);
}

async function websocket() {
  await eachQos(`ws://127.0.0.1:${wsPort}/mqtt`, {});
}

async function properties() {
  const sub = await Client.begin({ properties: { topicAliasMaximum: 5 } });
  const pub = await Client.begin({ autoAssignTopicAlias: true, autoUseTopicAlias: true });
  await sub.subscribe("j/p/#", { qos: 2, properties: { subscriptionIdentifier: 4711 } });
  const sent = {
    contentType: "text/plain",
    responseTopic: "j/back",
    correlationData: Buffer.from([0, 1, 255]),
    payloadFormatIndicator: true,
    messageExpiryInterval: 600,
    userProperties: { k: ["v", "w"], a: "" },
  };
  for (let i = 0; i < 3; i++) {
    await pub.publish("j/p/x", "grün", { qos: 2, properties: { ...sent } });
    const { topic, payload, properties: p } = await sub.take();
    assert.deepEqual([topic, payload.toString()], ["j/p/x", "grün"]);
    assert.equal(p.contentType, sent.contentType);
    assert.equal(p.responseTopic, sent.responseTopic);
    assert.ok(p.correlationData.equals(sent.correlationData));
    assert.equal(p.payloadFormatIndicator, true);
    assert.ok(p.messageExpiryInterval > 0 && p.messageExpiryInterval <= 600);
    assert.deepEqual({ ...p.userProperties }, { k: ["v", "w"], a: "" });
    assert.equal(p.subscriptionIdentifier, 4711);
  }
  await sub.subscribe("j/own", { qos: 1, nl: true });
  await sub.publish("j/own", "mine", { qos: 1 });
  await pub.publish("j/own", "yours", { qos: 1 });
  assert.equal((await sub.take()).payload.toString(), "yours");
  await sub.end();
  await pub.end();
}

async function shared() {
  const members = [await Client.begin(), await Client.begin()];
  const pub = await Client.begin();
  for (const m of members) await m.subscribe("$share/j/j/g/+", { qos: 1 });
  for (let i = 0; i < 30; i++) await pub.publish("j/g/x", `${i}`, { qos: 1 });
  for (const m of members) await m.subscribe("j/end", { qos: 1 });
  await pub.publish("j/end", "end", { qos: 1 });
  const got = [];
  for (const m of members) {
    let n = 0;
    for (let p = await m.take(); p.topic !== "j/end"; p = await m.take()) {
      got.push(Number(p.payload.toString()));
      n++;
    }
    assert.ok(n > 0);
  }
  assert.deepEqual(got.sort((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i));
  for (const m of [...members, pub]) await m.end();
}

const parts = { "each QoS": () => eachQos(), retained, wills, sessions, TLS: tls, WebSocket: websocket };
if (v5) Object.assign(parts, { properties, shared });
for (const [name, part] of Object.entries(parts)) {
  await part();
  console.log(name);
}
process.exit(0);
