# Sinatra in one of its environments, by WEBrick with and without its name.
ENV["APP_ENV"] = ARGV[0]
require "json"
require "sinatra/base"
require "webrick"
require "rack/handler/webrick"

MODE = ARGV[0]

class Billing < Sinatra::Base
  set :dump_errors, false
  set :protection, false
  post("/webhooks/stripe") { JSON.parse('{"id": "evt_1"}').fetch("data") }
  post("/trace") do
    JSON.parse('{"id": "evt_1"}').fetch("data")
  rescue KeyError => error
    halt 500, { "Content-Type" => "application/json" }, JSON.generate(error: error.message, trace: error.backtrace)
  end
end

def serve(name = nil)
  quiet = { BindAddress: "127.0.0.1", Port: 0, Logger: WEBrick::Log.new(File::NULL), AccessLog: [] }
  server = WEBrick::HTTPServer.new(**quiet, **(name.nil? ? {} : { ServerSoftware: name }))
  server.mount("/", Rack::Handler::WEBrick, Billing)
  Thread.new { server.start }
  server.listeners.first.addr[1]
end

def page(port, path = "/webhooks/stripe")
  { port: port, path: path, method: "POST", body: "{}",
    headers: { "Content-Type" => "application/json", "Accept" => "text/html" } }
end

bare = serve("billing")
pages = { "sinatra_#{MODE}_500": page(bare), "sinatra_#{MODE}_404": page(bare, "/nothing") }
if MODE == "production"
  pages[:sinatra_production_500_webrick] = page(serve)
  pages[:sinatra_trace_as_json] = page(bare, "/trace")
end
puts JSON.generate(version: "#{Sinatra::VERSION}, Ruby #{RUBY_VERSION}, WEBrick #{WEBrick::VERSION}", pages: pages)
$stdout.flush
$stdin.read
