// The least that a signaling server can be: two to a room, and what one says the other gets as it is.
import { WebSocketServer } from 'ws'

const rooms = new Map()
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.env.PORT) })

server.on('connection', socket => {
  let name
  socket.on('message', data => {
    const message = JSON.parse(data)
    if (message.type === 'join') {
      name = message.room
      if (!rooms.has(name)) rooms.set(name, new Set())
      rooms.get(name).add(socket)
      socket.send('{"type":"joined"}')
      return
    }
    for (const other of rooms.get(name) ?? []) {
      if (other !== socket) other.send(data, { binary: false })
    }
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    const room = rooms.get(name)
    room?.delete(socket)
    if (room?.size === 0) rooms.delete(name)
  })
})
