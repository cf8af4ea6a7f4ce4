# Sinatra in both environments, by WEBrick with and without its name.
require "json"
require "sinatra/base"
require "webrick"
require "rack/handler/webrick"

def application(environment)
  Class.new(Sinatra::Base) do
    set :environment, environment
    set :show_exceptions, environment == :development
    set :raise_errors, false
    set :dump_errors, false
    set :protection, false
    post("/webhooks/stripe") { JSON.parse('{"id": "evt_1"}').fetch("data") }
    post("/trace") do
      JSON.parse('{"id": "evt_1"}').fetch("data")
    rescue KeyError => error
      halt 500, { "Content-Type" => "application/json" }, JSON.generate(error: error.message, trace: error.backtrace)
    end
  end
end

def serve(environment, name = nil)
  quiet = { BindAddress: "127.0.0.1", Port: 0, Logger: WEBrick::Log.new(File::NULL), AccessLog: [] }
  server = WEBrick::HTTPServer.new(**quiet, **(name.nil? ? {} : { ServerSoftware: name }))
  server.mount("/", Rack::Handler::WEBrick, application(environment))
  Thread.new { server.start }
  server.listeners.first.addr[1]
end

def page(port, path = "/webhooks/stripe")
  { port: port, path: path, method: "POST", body: "{}",
    headers: { "Content-Type" => "application/json", "Accept" => "text/html" } }
end

development, production, bare = serve(:development, "billing"), serve(:production), serve(:production, "billing")
pages = {
  sinatra_development_500: page(development),
  sinatra_development_404: page(development, "/nothing"),
  sinatra_trace_as_json: page(bare, "/trace"),
  sinatra_production_500_webrick: page(production),
  sinatra_production_500: page(bare),
  sinatra_production_404: page(bare, "/nothing"),
}
puts JSON.generate(version: "#{Sinatra::VERSION}, Ruby #{RUBY_VERSION}, WEBrick #{WEBrick::VERSION}", pages: pages)
$stdout.flush
$stdin.read
